import EspalierPluginKit
import Foundation
import TestSupport
import Testing
import WandbClient

/// The logger against the strict stand-in for a server; see `Tests/WandbServer`.
@Suite(
  "W&B logger and server", .enabled(if: MockWandbServer.isAvailable, "there is no python3"))
struct SenderTests {
  /// What a plain run of `steps` steps has to leave there.
  private func expectWhole(
    _ server: MockWandbServer, steps: ClosedRange<Int>, exitCode: Int? = 0,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let report = try server.expectFlawless(sourceLocation: sourceLocation)
    let run = try #require(report.runs.first, sourceLocation: sourceLocation)
    #expect(report.runs.count == 1, sourceLocation: sourceLocation)
    #expect(try server.steps(run) == Array(steps), sourceLocation: sourceLocation)
    #expect(run.exitcode == exitCode, sourceLocation: sourceLocation)
    let images = 2 * steps.filter { $0 % 3 == 0 }.count
    #expect(Set(run.uploaded).count == images, sourceLocation: sourceLocation)
    #expect(run.mediaReferenced.count == images, sourceLocation: sourceLocation)
    #expect(run.consoleLines >= steps.count, sourceLocation: sourceLocation)
  }

  @Test func `a run has its rows, summary, config, console, images and end`() throws {
    let server = try MockWandbServer(["--max-gap", "45"])
    let training = try RunUnderTest(
      server.environment.merging(["WANDB_TAGS": "a,b", "WANDB_NAME": "n"]) { $1 })
    let logger = try training.logger()
    try training.train(logger, 1...7)
    try logger.text(step: 7, tag: "note", text: "two\nlines")
    try logger.finish(exitCode: 0)
    try logger.close()
    try expectWhole(server, steps: 1...7)
    let run = try #require(try server.report().runs.first)
    #expect(run.project == "a project é" && run.state == "finished" && run.tags == ["a", "b"])
    #expect(run.displayName == "n")
    let config = try JSONValue(parsing: server.text(run, "config.json"))
    #expect(config["learning_rate"]?["value"] == .number(1e-4))
    #expect(config["prompts"]?["value"] == .array([.string("a \"b\"\n")]))
    let summary = try JSONValue(parsing: server.text(run, "summary.json"))
    #expect(summary["loss"] == .number(1.0 / 7) && summary["_step"] == .number(7))
    #expect(summary["note"] == .string("two\nlines"))
    #expect(summary["validation"]?["count"] == .number(2))
    #expect(try server.text(run, "output.log").contains("step 7"))
    #expect(
      training.log.contains("run 'n' is at \(server.address)/mock-user/a%20project%20%C3%A9/runs/"))
    #expect(!training.log.contains("warning"), Comment(rawValue: training.log))
  }

  @Test(arguments: [
    ["--fail-every", "3"],
    ["--fail-every", "2", "--fail-status", "503,429", "--retry-after", "0.2"],
    ["--drop", "3"], ["--drop-reply", "3"], ["--drop-reply", "2", "--fault-on", "file_stream|PUT"],
    ["--delay", "0.1"], ["--run-rate", "2"], ["--fail-first", "4"], ["--outage", "0.2:1.5"],
    ["--fail-every", "2", "--fault-on", "PUT"],
    [
      "--fail-every", "2", "--fail-status", "409",
      "--fault-on", "UpsertBucket",
    ],
    ["--relative-upload-urls", "--upload-header", "x-ms-blob-type: BlockBlob"],
  ])
  func `no row is lost and none is doubled`(flags: [String]) throws {
    let server = try MockWandbServer(flags)
    let training = try RunUnderTest(server.environment)
    let logger = try training.logger()
    try training.train(logger, 1...30, pause: 10_000)
    try logger.finish(exitCode: 0)
    try logger.close()
    try expectWhole(server, steps: 1...30)
    // What waits for the server meanwhile is told, but nothing is left behind.
    for left in ["is not uploaded", "everything is kept in"] {
      #expect(!training.log.contains(left), Comment(rawValue: training.log))
    }
  }

  @Test func `a step is recorded in no time while the server does not answer`() throws {
    let server = try MockWandbServer(["--delay", "1"])
    let training = try RunUnderTest(server.environment)
    let logger = try training.logger()
    let start = ContinuousClock.now
    for step in Int64(1)...50 { try logger.scalars(step: step, [("loss", 1)]) }
    #expect(ContinuousClock.now - start < .milliseconds(500))
    try logger.finish(exitCode: 3)
    try logger.close()
    let run = try #require(try server.expectFlawless().runs.first)
    #expect(try server.steps(run) == Array(1...50))
    #expect(run.state == "failed" && run.exitcode == 3)
  }

  @Test func `a server that comes later gets everything`() throws {
    let early = try MockWandbServer()
    let port = early.port
    early.stop()
    let training = try RunUnderTest(early.environment)
    let logger = try training.logger()
    try training.train(logger, 1...9)
    try RunUnderTest.wait("no warning") { training.log.contains("cannot create the run") }
    let server = try MockWandbServer(port: port)
    try training.train(logger, 10...12)
    try logger.finish(exitCode: 0)
    try logger.close()
    try expectWhole(server, steps: 1...12)
    #expect(training.log.contains("the server answers again"), Comment(rawValue: training.log))
  }

  @Test func `what could not be sent is kept, and sent when the training goes on`() throws {
    let early = try MockWandbServer()
    let port = early.port
    early.stop()
    let training = try RunUnderTest(early.environment)
    let first = try training.logger(["finish_seconds": .number(0.3)])
    try training.train(first, 1...6)
    try first.finish(exitCode: 0)
    let start = ContinuousClock.now
    try first.close()
    #expect(ContinuousClock.now - start < .seconds(2.5))
    #expect(training.log.contains("6 rows and 4 images"), Comment(rawValue: training.log))
    let server = try MockWandbServer(port: port)
    let second = try training.logger(resumeStep: 4)
    try training.train(second, 5...9)
    try second.finish(exitCode: 0)
    try second.close()
    try expectWhole(server, steps: 1...9)
  }

  /// `kill -9`: the first logger is left as it is, and its server cut off from it.
  @Test(arguments: [0, 2, 5]) func `a run that was killed goes on where its rows end`(
    arrived: Int64
  ) throws {
    let server = try MockWandbServer()
    let training = try RunUnderTest(server.environment)
    let first = try training.logger(["finish_seconds": .number(0.2)])
    if arrived > 0 {
      try training.train(first, 1...arrived + 1)
      try RunUnderTest.wait("rows have not arrived") {
        try server.report().runs.first?.historyRows == Int(arrived)
      }
    }
    // Nothing of what follows arrives.
    try server.setFaults(#"{"drop": 1}"#)
    try training.train(first, (arrived == 0 ? 1 : arrived + 2)...8)
    let copy = try RunUnderTest(server.environment)
    try copy.take(training)
    try first.close()
    try server.setFaults("{}")
    let second = try copy.logger(resumeStep: 4)
    try copy.train(second, 5...11)
    try second.finish(exitCode: 0)
    try second.close()
    let run = try #require(try server.expectFlawless().runs.first)
    #expect(try server.steps(run) == Array(1...11))
    #expect(run.exitcode == 0 && Set(run.uploaded).count == 6)
    // Line by line as recorded, and time goes on.
    let runtimes = try server.text(run, "history.jsonl").split(separator: "\n").map {
      try #require(try JSONValue(parsing: String($0))["_runtime"]?.double)
    }
    #expect(runtimes == runtimes.sorted())
  }

  @Test func `a run that was begun elsewhere goes on after its last step`() throws {
    let server = try MockWandbServer()
    let variables = server.environment.merging(["WANDB_RUN_ID": "shared"]) { $1 }
    for steps in [Int64(1)...5, 1...8] {
      let training = try RunUnderTest(variables)
      let logger = try training.logger()
      try training.train(logger, steps)
      try logger.finish(exitCode: 1)
      try logger.close()
    }
    let run = try #require(try server.report().runs.first)
    #expect(try server.steps(run) == Array(1...8))
    #expect(try server.report().rejected.isEmpty)
  }

  @Test func `must and never are heeded`() throws {
    let server = try MockWandbServer()
    for (resume, part) in [("must", "there is no run 'x'"), ("never", ""), ("never", "exists")] {
      let training = try RunUnderTest(
        server.environment.merging(["WANDB_RUN_ID": "x", "WANDB_RESUME": resume]) { $1 })
      let logger = try training.logger()
      try training.train(logger, 1...2)
      try logger.finish(exitCode: 0)
      try logger.close()
      #expect(training.log.contains("nothing more is sent") == !part.isEmpty)
      #expect(training.log.contains(part) || part.isEmpty, Comment(rawValue: training.log))
    }
    let report = try server.expectFlawless()
    #expect(report.runs.map(\.historyRows) == [2])
  }

  @Test func `a refused key is told once, and what is recorded arrives with the right one`() throws
  {
    let server = try MockWandbServer(["--api-key", MockWandbServer.key])
    let wrong = String(repeating: "w", count: 40)
    let training = try RunUnderTest(server.environment.merging(["WANDB_API_KEY": wrong]) { $1 })
    let first = try training.logger()
    try training.train(first, 1...3)
    try RunUnderTest.wait("no warning") { training.log.contains("WANDB_API_KEY") }
    try training.train(first, 4...6)
    try first.finish(exitCode: 0)
    try first.close()
    let warnings = training.log.split(separator: "\n").filter { $0.hasPrefix("warning") }
    #expect(warnings.count == 1, Comment(rawValue: training.log))
    #expect(!training.log.contains(wrong))
    let copy = try RunUnderTest(server.environment)
    try copy.take(training)
    let second = try copy.logger(resumeStep: 6)
    try second.finish(exitCode: 0)
    try second.close()
    let run = try #require(try server.report().runs.first)
    #expect(try server.steps(run) == Array(1...6))
  }

  @Test func `a silent run sends heartbeats, and Stop is heard`() throws {
    let server = try MockWandbServer(["--stop-after-rows", "2"])
    let training = try RunUnderTest(server.environment)
    let logger = try training.logger()
    #expect(!logger.isStopRequested)
    try training.train(logger, 1...3)
    try RunUnderTest.wait("Stop was not heard") { logger.isStopRequested }
    try logger.finish(exitCode: 130)
    try logger.close()
    #expect(try server.expectFlawless().runs.first?.exitcode == 130)
  }

  @Test func `a run whose end nobody knows is not called finished`() throws {
    let server = try MockWandbServer()
    let training = try RunUnderTest(server.environment)
    let logger = try training.logger()
    try training.train(logger, 1...3)
    try logger.close()
    try expectWhole(server, steps: 1...3, exitCode: nil)
    #expect(try server.report().runs.first?.state == "running")
  }

  @Test func `a logger whose folder is taken away fails and ends`() throws {
    let server = try MockWandbServer()
    let training = try RunUnderTest(server.environment)
    let logger = try training.logger()
    try training.train(logger, 1...2)
    // The sender may write beside this.
    try RunUnderTest.wait("the folder cannot be taken away") {
      try? FileManager.default.removeItem(atPath: training.folder.file("wandb"))
      return !FileManager.default.fileExists(atPath: training.folder.file("wandb"))
    }
    let failure = try #require(throws: PluginError.self) {
      try logger.scalars(step: 3, [("loss", 1)])
    }
    #expect(failure.message.contains(training.folder.path), Comment(rawValue: failure.message))
    let start = ContinuousClock.now
    #expect(throws: PluginError.self) { try logger.close() }
    #expect(ContinuousClock.now - start < .seconds(5))
  }

  @Test func `files may lie elsewhere`() throws {
    let server = try MockWandbServer()
    let other = try temporaryFolder()
    let training = try RunUnderTest(server.environment.merging(["WANDB_DIR": other.path]) { $1 })
    for (resumeStep, steps) in [(nil, Int64(1)...3), (2, 3...5)] as [(Int64?, ClosedRange<Int64>)] {
      let logger = try training.logger(resumeStep: resumeStep)
      try training.train(logger, steps)
      try logger.finish(exitCode: 0)
      try logger.close()
    }
    try expectWhole(server, steps: 1...5)
    #expect(try training.folder.contents() == ["wandb.json"])
    #expect(try other.contents() == ["wandb"])
  }

  @Test func `disabled is silent and writes nothing`() throws {
    let training = try RunUnderTest(["WANDB_MODE": "disabled"])
    let logger = try training.logger()
    try training.train(logger, 1...3)
    try logger.finish(exitCode: 0)
    try logger.close()
    #expect(try training.folder.contents().isEmpty && training.log.isEmpty)
  }
}
