import EspalierCheckpoints
import Foundation
import TestSupport
import Testing

/// A run that is stopped, in whatever way, and continued gives the bytes of one that was not.
@Suite("espalier train, stopped and resumed", .serialized) struct TrainResumeTests {
  private let folder: TrainingFolder
  /// A rate that does not depend on the number of steps, so that runs of different length can be compared.
  private let settings = [
    "--gradient_accumulation_steps", "2", "--lr_scheduler", "constant_with_warmup",
    "--lr_warmup_steps", "3", "--proportion_empty_prompts", "0.3",
  ]
  private let endless = 100_000

  init() throws { folder = try TrainingFolder() }

  /// Waits until a run has come far enough; fails if it ends before.
  private func wait(for program: RunningProgram, until isReached: () -> Bool) throws {
    let start = ContinuousClock.now
    while !isReached() {
      guard program.isRunning, ContinuousClock.now - start < .seconds(60) else {
        program.send(SIGKILL)
        let text = try program.result().error
        Issue.record(Comment(rawValue: "the run did not come far enough: " + text))
        return
      }
      usleep(2000)
    }
  }

  private func rows(_ output: String) -> Int {
    (try? folder.metrics(output))?["step"]?.count ?? 0
  }

  @Test(arguments: ["no", "fp16"])
  func `three steps and three more are six`(precision: String) throws {
    let more = settings + ["--mixed_precision", precision]
    try folder.train("whole", steps: 6, more)
    try folder.train("parts", steps: 3, more)
    #expect(try folder.adapterBytes("parts") != folder.adapterBytes("whole"))
    let result = try folder.train("parts", steps: 6, more + ["--resume_from_checkpoint", "latest"])
    #expect(result.error.contains("step 3"), Comment(rawValue: result.error))
    #expect(!result.error.contains("warning"), Comment(rawValue: result.error))
    #expect(try folder.adapterBytes("parts") == folder.adapterBytes("whole"))
    #expect(try folder.metrics("parts")["loss"] == folder.metrics("whole")["loss"])
    #expect(try folder.metrics("parts")["step"] == [1, 2, 3, 4, 5, 6])
    for state in ["/t2iadapter/diffusion_pytorch_model.safetensors", "/optimizer.safetensors"] {
      let paths = ["parts", "whole"].map { folder.file($0 + "/checkpoint-6" + state) }
      #expect(FileManager.default.contentsEqual(atPath: paths[0], andPath: paths[1]))
    }
  }

  @Test(arguments: [SIGINT, SIGTERM])
  func `a signal saves the state and its code is returned`(signal: Int32) throws {
    let run = try Program.start(folder.arguments("out", steps: endless, settings))
    try wait(for: run) { rows("out") >= 2 }
    run.send(signal)
    let stopped = try run.result()
    #expect(stopped.status == 128 + signal && !stopped.isKilled, Comment(rawValue: stopped.error))
    #expect(stopped.error.contains("interrupted"), Comment(rawValue: stopped.error))
    let step = try #require(folder.checkpoints("out").last)
    try folder.expectWhole("out", step)
    #expect(try folder.json("out/training_summary.json")["interrupted"]?.bool == true)
    #expect(
      !FileManager.default.fileExists(atPath: folder.file("out/config.json")),
      "an unfinished run must not look finished")
    try folder.train("out", steps: step + 1, settings + ["--resume_from_checkpoint", "latest"])
    try folder.train("whole", steps: step + 1, settings)
    #expect(try folder.adapterBytes("out") == folder.adapterBytes("whole"))
  }

  @Test func `a second signal stops within a step and loses nothing that was saved`() throws {
    try folder.train("out", steps: 1)
    // A step of many micro-batches, in which the signals arrive.
    let long = ["--gradient_accumulation_steps", "5000", "--resume_from_checkpoint", "latest"]
    let run = try Program.start(folder.arguments("out", steps: 2, long))
    try wait(for: run) { run.error.contains("steps    2 to 2") }
    usleep(500_000)  // The step begins.
    run.send(SIGINT)
    usleep(50_000)
    #expect(run.isRunning, "the first signal waits for the end of the step")
    run.send(SIGINT)
    let stopped = try run.result()
    #expect(stopped.status == 130 && !stopped.isKilled, Comment(rawValue: stopped.error))
    #expect(stopped.error.contains("stopped at once"), Comment(rawValue: stopped.error))
    #expect(!stopped.error.contains("error: "), Comment(rawValue: stopped.error))
    #expect(folder.checkpoints("out") == [1])
    try folder.expectWhole("out", 1)
    try folder.train("out", steps: 2, ["--resume_from_checkpoint", "latest"])
    try folder.train("whole", steps: 2)
    #expect(try folder.adapterBytes("out") == folder.adapterBytes("whole"))
  }

  @Test(arguments: ["no", "fp16"])
  func `after kill -9 every state is whole and the run goes on`(precision: String) throws {
    let more =
      settings + [
        "--mixed_precision", precision, "--checkpointing_steps", "1",
        "--checkpoints_total_limit", "2", "--resume_from_checkpoint", "latest",
      ]
    var last = 0
    for delay in [0, 7, 19, 33] {
      let run = try Program.start(folder.arguments("out", steps: endless, more))
      let target = last + 3
      try wait(for: run) { (folder.checkpoints("out").last ?? 0) >= target }
      usleep(UInt32(delay) * 1000)
      run.send(SIGKILL)
      #expect(try run.result().isKilled)
      let steps = folder.checkpoints("out")
      #expect((1...3).contains(steps.count), "\(steps)")
      for step in steps { try folder.expectWhole("out", step) }
      last = try #require(steps.last)
    }
    try folder.train("out", steps: last + 1, more)
    try folder.train("whole", steps: last + 1, settings + ["--mixed_precision", precision])
    #expect(try folder.adapterBytes("out") == folder.adapterBytes("whole"))
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.file("out"))
    #expect(!left.contains { $0.hasSuffix(".unfinished") || $0.hasSuffix(".replaced") }, "\(left)")
    #expect(folder.checkpoints("out") == [last, last + 1])
  }

  @Test func `latest without a state starts anew and says so`() throws {
    let result = try folder.train("out", steps: 1, ["--resume_from_checkpoint", "latest"])
    #expect(result.error.contains("no checkpoint"), Comment(rawValue: result.error))
  }

  @Test func `a changed setting is warned of, a changed seed refused`() throws {
    try folder.train("out", steps: 1)
    let resume = ["--resume_from_checkpoint", "checkpoint-1"]
    let changed = try folder.train("out", steps: 2, resume + ["--learning_rate", "1e-4"])
    #expect(changed.error.contains("--learning_rate"), Comment(rawValue: changed.error))
    let refused = try Program.run(folder.arguments("out", steps: 2, resume + ["--seed", "9"]))
    #expect(refused.status == 1)
    #expect(refused.error.contains("--seed 3, not 9"), Comment(rawValue: refused.error))
  }
}
