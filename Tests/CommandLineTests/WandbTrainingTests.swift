import EspalierCheckpoints
import EspalierImages
import Foundation
import TestSupport
import Testing

/// Whole trainings with the logger `wandb` against the strict stand-in for a server.
@Suite(
  "espalier train --report_to wandb", .serialized,
  .enabled(if: MockWandbServer.isAvailable, "there is no python3"))
struct WandbTrainingTests {
  private let folder: TrainingFolder
  /// Short waits, so that failures do not take minutes.
  private let settings = [
    "--report_to", "csv,wandb", "--logger_option", "wandb.interval_seconds=0.1",
    "--logger_option", "wandb.retry_seconds=0.1", "--lr_scheduler", "constant",
  ]
  private let endless = 100_000

  init() throws { folder = try TrainingFolder() }

  /// Variables of the user's that must not reach a test.
  private func environment(_ server: MockWandbServer, _ more: [String: String] = [:]) -> [String:
    String]
  {
    let none = [
      "WANDB_MODE", "WANDB_PROJECT", "WANDB_ENTITY", "WANDB_RUN_ID", "WANDB_RESUME", "WANDB_DIR",
    ]
    return Dictionary(uniqueKeysWithValues: none.map { ($0, "") })
      .merging(server.environment) { $1 }.merging(more) { $1 }
  }

  private func arguments(_ steps: Int, _ more: [String] = []) -> [String] {
    folder.arguments("out", steps: steps, settings + more)
  }

  @discardableResult
  private func train(
    _ server: MockWandbServer, steps: Int, _ more: [String] = [],
    _ variables: [String: String] = [:],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Program.Result {
    let result = try Program.run(
      arguments(steps, more), environment: environment(server, variables))
    #expect(
      result.status == 0 && !result.isKilled, Comment(rawValue: result.error),
      sourceLocation: sourceLocation)
    return result
  }

  /// Expects the only run to hold each step once, and to have ended with a code.
  @discardableResult
  private func expectWhole(
    _ server: MockWandbServer, steps: Int, exitCode: Int = 0,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> MockWandbServer.Report.Run {
    let report = try server.expectFlawless(sourceLocation: sourceLocation)
    let run = try #require(report.runs.first, sourceLocation: sourceLocation)
    #expect(report.runs.count == 1, sourceLocation: sourceLocation)
    #expect(
      try server.steps(run) == Array(1...steps), sourceLocation: sourceLocation)
    #expect(run.exitcode == exitCode, sourceLocation: sourceLocation)
    return run
  }

  private func wait(for program: RunningProgram, until isReached: () throws -> Bool) throws {
    let start = ContinuousClock.now
    while try !isReached() {
      guard program.isRunning, ContinuousClock.now - start < .seconds(60) else {
        program.send(SIGKILL)
        Issue.record(Comment(rawValue: "did not come far enough: \(try program.result().error)"))
        return
      }
      usleep(2000)
    }
  }

  private func rows() -> Int { (try? folder.metrics("out"))?["step"]?.count ?? 0 }

  @Test func `a run shows its numbers, images, settings and console, and nowhere the key`() throws {
    let server = try MockWandbServer([
      "--api-key", MockWandbServer.key, "--upload-header", "x-a: b",
    ])
    try TrainingFolder.control(1).writePNG(to: folder.file("edges.png"))
    let result = try train(
      server, steps: 4,
      [
        "--validation_prompt", "a bar", "--validation_image", folder.file("edges.png"),
        "--validation_steps", "2", "--num_validation_images", "2", "--tracker_project_name", "bars",
      ])
    let run = try expectWhole(server, steps: 4)
    #expect(run.project == "bars" && run.state == "finished")
    #expect(run.mediaReferenced.count == 6 && Set(run.uploaded) == Set(run.mediaReferenced))
    #expect(run.consoleLines > 3)
    let losses = try #require(try folder.metrics("out")["loss"])
    let rows = try server.text(run, "history.jsonl").split(separator: "\n").map {
      try JSONValue(parsing: Data($0.utf8))
    }
    #expect(rows.map { $0["loss"]?.double } == losses)
    for name in ["lr", "grad_norm", "step_seconds", "images_per_second", "peak_memory_bytes"] {
      #expect(rows.allSatisfy { ($0[name]?.double ?? -1) >= 0 }, Comment(rawValue: name))
    }
    #expect(rows[1]["validation"]?["captions"]?.strings == ["control image", "a bar", "a bar"])
    let config = try JSONValue(parsing: Data(try server.text(run, "config.json").utf8))
    #expect(config["learning_rate"]?["value"]?.double == 1e-3)
    #expect(result.error.contains("\(server.address)/mock-user/bars/runs/\(run.name)"))
    try expectNoSecret(result, server)
  }

  /// Looks into every file that the run wrote, and into what it said.
  private func expectNoSecret(_ result: Program.Result, _ server: MockWandbServer) throws {
    let secrets = [
      MockWandbServer.key, Data("api:\(MockWandbServer.key)".utf8).base64EncodedString(),
      "signature=mock",
    ]
    var texts = [
      ("standard output", Data(result.output.utf8)), ("standard error", Data(result.error.utf8)),
    ]
    let root = folder.folder.path
    let names = try #require(FileManager.default.enumerator(atPath: root)).compactMap {
      $0 as? String
    }
    for name in names {
      if let data = try? Data(contentsOf: URL(fileURLWithPath: root + "/" + name)) {
        texts.append((name, data))
      }
    }
    #expect(texts.contains { $0.0.hasSuffix("history.jsonl") } && texts.count > 20)
    for (name, data) in texts {
      for secret in secrets {
        #expect(data.range(of: Data(secret.utf8)) == nil, "\(name) holds a secret")
      }
    }
  }

  @Test(arguments: [
    ["--fail-every", "3"], ["--drop", "3"], ["--drop-reply", "3"], ["--delay", "0.2"],
    ["--outage", "0.3:1.5"],
  ])
  func `a server in trouble costs no row`(flags: [String]) throws {
    let server = try MockWandbServer(flags)
    try train(server, steps: 30)
    try expectWhole(server, steps: 30)
  }

  @Test func `kill -9 and resuming leave each step once`() throws {
    let server = try MockWandbServer()
    let more = ["--checkpointing_steps", "2", "--resume_from_checkpoint", "latest"]
    var last = 0
    for _ in 0..<3 {
      let run = try Program.start(
        arguments(endless, more + ["--checkpoints_total_limit", "2"]),
        environment: environment(server))
      let target = last + 5
      try wait(for: run) { rows() >= target }
      run.send(SIGKILL)
      #expect(try run.result().isKilled)
      last = rows()
    }
    let steps = last + 2
    try train(server, steps: steps, more)
    let run = try expectWhole(server, steps: steps)
    let losses = try #require(try folder.metrics("out")["loss"])
    let sent = try server.text(run, "history.jsonl").split(separator: "\n").map {
      try JSONValue(parsing: Data($0.utf8))["loss"]?.double
    }
    #expect(sent == losses)
  }

  @Test func `Stop on the server ends the training with a saved state`() throws {
    let server = try MockWandbServer(["--stop-after-rows", "3"])
    let result = try Program.run(arguments(endless), environment: environment(server))
    #expect(result.status == 130 && !result.isKilled, Comment(rawValue: result.error))
    #expect(result.error.contains("the metric logger 'wandb' was asked to end the run"))
    let step = try #require(folder.checkpoints("out").last)
    try folder.expectWhole("out", step)
    try expectWhole(server, steps: step, exitCode: 130)
  }

  @Test func `a server that is down at first gets all rows once it is there`() throws {
    let early = try MockWandbServer()
    early.stop()
    let run = try Program.start(arguments(endless), environment: environment(early))
    try wait(for: run) { run.error.contains("cannot create the run") }
    let server = try MockWandbServer(port: early.port)
    try wait(for: run) { try server.report().runs.first?.historyRows ?? 0 > 0 }
    run.send(SIGINT)
    let result = try run.result()
    #expect(result.status == 130, Comment(rawValue: result.error))
    try expectWhole(server, steps: rows(), exitCode: 130)
  }

  @Test func `without a key the training goes on, and a message says where a key may stand`() throws
  {
    let server = try MockWandbServer()
    let result = try train(
      server, steps: 2, [], ["WANDB_API_KEY": "", "NETRC": folder.file("no-netrc")])
    for part in ["WANDB_API_KEY", "netrc", "switched off"] {
      #expect(result.error.contains(part), Comment(rawValue: result.error))
    }
    #expect(try server.report().requests == 0 && rows() == 2)
  }

  @Test func `disabled is silent`() throws {
    let server = try MockWandbServer()
    let result = try train(server, steps: 2, [], ["WANDB_MODE": "disabled"])
    #expect(!result.error.contains("wandb"), Comment(rawValue: result.error))
    #expect(try server.report().requests == 0)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.file("out/logs")) == [
        "metrics.csv"
      ])
  }
}
