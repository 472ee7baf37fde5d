import Foundation
import TestSupport
import Testing

/// Runs that fail on the way: one clear error, and everything that was saved stays.
@Suite("espalier train fails on the way") struct TrainFailureTests {
  private let folder: TrainingFolder
  private let resume = ["--resume_from_checkpoint", "latest"]

  init() throws { folder = try TrainingFolder() }

  /// All bytes of a checkpoint.
  private func contents(_ name: String) throws -> [String: Data] {
    let path = folder.file(name)
    var result: [String: Data] = [:]
    for file in try FileManager.default.subpathsOfDirectory(atPath: path) {
      result[file] = FileManager.default.contents(atPath: path + "/" + file)
    }
    return result
  }

  @Test func `a loss that is no number names step and samples, and no state is lost`() throws {
    try folder.train("out", steps: 2, ["--checkpointing_steps", "1"])
    let before = try ["out/checkpoint-1", "out/checkpoint-2"].map(contents)
    let adapter = try folder.adapterBytes("out")
    let result = try Program.run(
      folder.arguments(
        "out", steps: 50,
        resume + [
          "--learning_rate", "1e30", "--checkpoints_total_limit", "2", "--checkpointing_steps",
          "40",
        ]))
    folder.expectOneError(
      result, naming: ["not finite in step", ".png", "--learning_rate", "checkpoint-"])
    #expect(try ["out/checkpoint-1", "out/checkpoint-2"].map(contents) == before)
    #expect(try folder.adapterBytes("out") == adapter)
    for step in folder.checkpoints("out") { try folder.expectWhole("out", step) }
    try folder.train("out", steps: 3, ["--resume_from_checkpoint", "checkpoint-2"])
    try folder.train("whole", steps: 3)
    #expect(try folder.adapterBytes("out") == folder.adapterBytes("whole"))
  }

  /// The limit stands for a disk without room: the system refuses the write in the same way. It comes when the run
  /// has saved a state, since it also holds for the memory into which a driver compiles shaders.
  @Test func `a state that cannot be written leaves the earlier ones`() throws {
    let every = resume + ["--checkpointing_steps", "1", "--checkpoints_total_limit", "1"]
    try folder.train("out", steps: 2, every)
    let adapter = try folder.adapterBytes("out")
    let run = try Program.start(folder.arguments("out", steps: 100_000, every))
    while run.isRunning && folder.checkpoints("out") == [2] { usleep(500) }
    try run.limitFiles(toBytes: 65_536)
    let result = try run.result()
    let last = try #require(folder.checkpoints("out").last)
    folder.expectOneError(
      result, naming: ["checkpoint-\(last + 1)", ".safetensors", "File too large"])
    #expect(last > 2 && folder.checkpoints("out") == [last])
    try folder.expectWhole("out", last)
    #expect(try folder.adapterBytes("out") == adapter)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.file("out"))
    #expect(!names.contains { $0.hasSuffix(".unfinished") || $0.contains(".tmp") }, "\(names)")
    try folder.train("out", steps: last + 2, every)
    try folder.train("whole", steps: last + 2)
    #expect(try folder.adapterBytes("out") == folder.adapterBytes("whole"))
  }

  @Test func `an output folder that cannot be made`() throws {
    try Data().write(to: URL(fileURLWithPath: folder.file("file")))
    for path in [folder.file("file/out"), "/proc/espalier-out"] {
      let result = try Program.run(folder.arguments("x", steps: 1, ["--output_dir", path]))
      folder.expectOneError(result, naming: [path])
      #expect(!result.error.contains("Input/output"), Comment(rawValue: result.error))
    }
  }

  @Test func `a log folder that cannot be written`() throws {
    try folder.make("out")
    try Data().write(to: URL(fileURLWithPath: folder.file("out/logs")))
    let result = try Program.run(folder.arguments("out", steps: 1))
    folder.expectOneError(result, naming: [folder.file("out/logs")])
  }

  @Test func `a checkpoint that is not there, and damaged ones`() throws {
    try folder.train("out", steps: 1)
    let missing = try Program.run(
      folder.arguments("out", steps: 2, ["--resume_from_checkpoint", "checkpoint-9"]))
    folder.expectOneError(missing, naming: ["checkpoint-9", "checkpoint-1"])
    let whole = try contents("out/checkpoint-1")
    let adapter = try folder.adapterBytes("out")
    let state = String(decoding: try #require(whole["training_state.json"]), as: UTF8.self)
    let optimizer = try #require(whole["optimizer.safetensors"])
    for (file, bytes) in [
      ("training_state.json", Data("{".utf8)),
      ("training_state.json", Data(state.replacing("\"step\" : 1", with: "\"step\" : -5").utf8)),
      (
        "training_state.json",
        Data(state.replacing("\"step\" : 1", with: "\"step\" : 9223372036854775807").utf8)
      ),
      ("training_state.json", Data(state.replacing("\"format\" : 1", with: "\"format\" : 7").utf8)),
      ("optimizer.safetensors", optimizer.dropLast(9)),
      ("t2iadapter/diffusion_pytorch_model.safetensors", optimizer),
    ] {
      let url = URL(fileURLWithPath: folder.file("out/checkpoint-1/" + file))
      try bytes.write(to: url)
      let result = try Program.run(folder.arguments("out", steps: 2, resume))
      folder.expectOneError(result, naming: ["checkpoint-1"])
      try #require(whole[file]).write(to: url)
    }
    #expect(try folder.adapterBytes("out") == adapter)
    #expect(try contents("out/checkpoint-1") == whole)
  }

  @Test func `an interruption during preparation ends with its code`() throws {
    let run = try Program.start(folder.arguments("out", steps: 100_000))
    while run.isRunning && !FileManager.default.fileExists(atPath: folder.file("out")) {
      usleep(500)
    }
    run.send(SIGTERM)
    let result = try run.result()
    #expect(result.status == 143 && !result.isKilled, Comment(rawValue: result.error))
    #expect(!FileManager.default.fileExists(atPath: folder.file("out/config.json")))
  }
}
