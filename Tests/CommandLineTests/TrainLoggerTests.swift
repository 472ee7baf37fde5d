import EspalierCheckpoints
import EspalierImages
import Foundation
import TestSupport
import Testing

/// What the project's loggers have of a run, told by a real `train`.
@Suite("espalier train, its loggers", .serialized) struct TrainLoggerTests {
  static let all = ["csv", "tensorboard", "jsonl", "html"]
  private static let metrics = [
    "loss", "lr", "grad_norm", "step_seconds", "images_per_second", "peak_memory_bytes",
  ]
  private let folder: TrainingFolder
  private let reporting = [
    "--report_to", all.joined(separator: ","), "--tracker_project_name", "p",
  ]

  init() throws { folder = try TrainingFolder() }

  /// One metric by step, as every logger has it.
  private func history(_ output: String, _ name: String) throws -> [String: [Int: Double]] {
    let logs = folder.file(output) + "/logs"
    var histories: [String: [Int: Double]] = [:]
    func add(_ logger: String, _ values: [(step: Int, value: Double)]) {
      let byStep = Dictionary(grouping: values, by: \.step)
      #expect(byStep.values.allSatisfy { $0.count == 1 }, "\(logger) has a step twice")
      histories[logger] = byStep.compactMapValues { $0.first?.value }
    }
    let columns = try folder.metrics(output)
    add(
      "csv",
      zip(try #require(columns["step"]).map { Int($0) }, try #require(columns[name])).map {
        ($0, $1)
      })
    let events = try EventLog.run(in: logs + "/p")
    add("tensorboard", EventLog.scalars(events, name).map { ($0.step, Double($0.value)) })
    let rows = try rows(output).filter { $0["type"]?.string == "scalars" }
    add("jsonl", try rows.map { (try #require($0["step"]?.int), try #require($0[name]?.double)) })
    let report = try report(output)
    let series = try #require(report["series"]?.array?.first { $0["name"]?.string == name })
    add(
      "html",
      zip(try #require(series["steps"]?.ints), try #require(series["mean"]?.doubles))
        .map { ($0, $1) })
    return histories
  }

  private func rows(_ output: String) throws -> [JSONValue] {
    try String(contentsOfFile: folder.file(output) + "/logs/metrics.jsonl", encoding: .utf8)
      .split(separator: "\n").map { try JSONValue(parsing: Data($0.utf8)) }
  }

  /// What the page holds.
  private func report(_ output: String) throws -> JSONValue {
    let page = try String(
      contentsOfFile: folder.file(output) + "/logs/report.html", encoding: .utf8)
    let start = try #require(page.range(of: "id=\"report\">"))
    let end = try #require(page[start.upperBound...].range(of: "</script>"))
    return try JSONValue(parsing: Data(page[start.upperBound..<end.lowerBound].utf8))
  }

  /// Expects every logger to have exactly these steps of every metric, with the same values.
  private func expectHistories(_ output: String, _ steps: ClosedRange<Int>) throws {
    for name in Self.metrics {
      let histories = try history(output, name)
      let exact = try #require(histories["jsonl"])
      for (logger, values) in histories {
        #expect(values.keys.sorted() == Array(steps), "\(logger): \(name)")
        for (step, value) in values {
          let expected = try #require(exact[step], "\(name) of step \(step)")
          #expect(
            abs(value - expected) <= 1e-5 * abs(expected), "\(logger): \(name) of step \(step)")
        }
      }
    }
  }

  @Test func `all have every metric of every step, the control image and its pictures`() throws {
    let result = try folder.train(
      "out", steps: 4,
      reporting + [
        "--gradient_accumulation_steps", "2", "--validation_prompt", "a bar", "--validation_image",
        folder.data("c1.png"), "--num_validation_images", "2", "--validation_steps", "2",
      ])
    #expect(!result.error.contains("warning"), Comment(rawValue: result.error))
    try expectHistories("out", 1...4)
    let rates = try #require(try history("out", "images_per_second")["jsonl"])
    #expect(rates.values.allSatisfy { $0 > 0 })
    let memory = try #require(try history("out", "peak_memory_bytes")["jsonl"])
    #expect(memory.values.allSatisfy { $0 > 1e6 })

    let logs = folder.file("out/logs")
    let control = try Image(contentsOf: folder.data("c1.png")).rgb8()
    let pictures = try [2, 4].map { step in
      let made = try [0, 1].map {
        try Image(contentsOf: folder.file("out/validation/step-\(step)/\($0).png"))
      }
      return [
        control.resized(width: made[0].width, height: made[0].height, filter: .lanczos)
      ] + made
    }
    let images = try rows("out").filter { $0["type"]?.string == "images" }
    #expect(images.map { $0["step"]?.int } == [2, 4])
    for (row, expected) in zip(images, pictures) {
      let entries = try #require(row["images"]?.array)
      #expect(entries.map { $0["caption"]?.string } == ["control image", "a bar", "a bar"])
      #expect(
        try entries.map { try Image(contentsOf: logs + "/" + (try #require($0["file"]?.string))) }
          == expected)
    }
    let shown = try EventLog.run(in: logs + "/p").flatMap { event in
      event.values.filter { $0.plugin == "images" }.map { (event.step, $0) }
    }
    #expect(shown.map(\.0) == [2, 4])
    for ((_, value), expected) in zip(shown, pictures) {
      #expect(value.tag == "validation")
      #expect(
        try value.strings.dropFirst(2).map { file in
          try file.withUnsafeBytes { try Image(decoding: $0, name: "a.png") }
        } == expected)
    }
    let report = try report("out")
    #expect(report["status"]?.string == "finished" && report["total_steps"]?.int == 4)
    #expect(report["images"]?.array?.map { $0["step"]?.int } == [2, 4])
  }

  @Test func `after kill -9 and resuming, no step is missing and none is there twice`() throws {
    let more =
      reporting + [
        "--checkpointing_steps", "1", "--checkpoints_total_limit", "2", "--resume_from_checkpoint",
        "latest", "--validation_prompt", "a bar", "--validation_image", folder.data("c1.png"),
        "--num_validation_images", "1", "--validation_steps", "4",
      ]
    var last = 0
    for delay in [0, 3, 11, 26] {
      let run = try Program.start(folder.arguments("out", steps: 100_000, more))
      let (target, start) = (last + 4, ContinuousClock.now)
      while (folder.checkpoints("out").last ?? 0) < target {
        guard run.isRunning, ContinuousClock.now - start < .seconds(60) else {
          run.send(SIGKILL)
          Issue.record(Comment(rawValue: "the run did not come far enough: " + run.error))
          return
        }
        usleep(2000)
      }
      usleep(UInt32(delay) * 1000)
      run.send(SIGKILL)
      #expect(try run.result().isKilled)
      last = try #require(folder.checkpoints("out").last)
    }
    try folder.train("out", steps: last + 2, more)
    try expectHistories("out", 1...(last + 2))
    #expect(try report("out")["status"]?.string == "finished")
    let shown = try #require(try report("out")["images"]?.array).compactMap { $0["step"]?.int }
    #expect(shown == Set(shown).sorted() && shown.last == last + 2)
    let images = try rows("out").filter { $0["type"]?.string == "images" }
    #expect(images.map { $0["step"]?.int } == shown)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.file("out/logs")).sorted()
        == ["metrics-images", "metrics.csv", "metrics.jsonl", "p", "report-files", "report.html"])
  }

  @Test(arguments: [
    (["OPEN_FAILS": ""], "cannot start", "there is no key"),
    (["FAILS_AT": "2"], "cannot record step 2", "the disk is full"),
  ])
  func `one that fails is switched off with a warning, the others and the run go on`(
    macros: [String: String], operation: String, reason: String
  ) throws {
    let library = try CompiledPlugin.build(
      "failing_logger", "logger-failing",
      macros.merging(["NAME": "\"failing\""]) { $1 }.map { "-D\($0)=\($1)" }, in: folder.folder)
    try folder.make("out/logs")
    // A file in the place of the folder of event files, which can therefore not be written.
    try Data().write(to: URL(fileURLWithPath: folder.file("out/logs/p")))
    let result = try folder.train(
      "out", steps: 4,
      [
        "--plugin", library, "--report_to", "failing,tensorboard,csv,jsonl,html",
        "--tracker_project_name", "p",
      ])
    let warnings = result.error.split(separator: "\n").filter { $0.contains("is switched off") }
    #expect(warnings.count == 2, Comment(rawValue: result.error))
    #expect(
      warnings.contains { line in
        ["'failing'", operation, reason].allSatisfy { line.contains($0) }
      })
    #expect(
      warnings.contains { line in
        ["'tensorboard'", "cannot start", folder.file("out/logs/p")].allSatisfy {
          line.contains($0)
        }
      })
    #expect(try folder.metrics("out")["step"] == [1, 2, 3, 4])
    #expect(try rows("out").count { $0["type"]?.string == "scalars" } == 4)
    #expect(try report("out")["status"]?.string == "finished")
    try folder.train("plain", steps: 4, ["--report_to", "none"])
    #expect(try folder.adapterBytes("out") == folder.adapterBytes("plain"))
    #expect(!FileManager.default.fileExists(atPath: folder.file("plain/logs")))
  }

  @Test func `one that is slow is waited for once, and holds up no step`() throws {
    let library = try CompiledPlugin.build(
      "failing_logger", "logger-slow", ["-DNAME=\"slow\"", "-DSECONDS=3"], in: folder.folder)
    func longestStep(_ output: String) throws -> Double {
      try #require(folder.metrics(output)["step_seconds"]?.max())
    }
    func lastTwoSteps(_ output: String) throws -> Double {
      let times = try rows(output).filter { $0["type"]?.string == "scalars" }
        .compactMap { $0["time"]?.double }
      try #require(times.count == 4)
      return times[3] - times[1]
    }
    let saving = ["--checkpointing_steps", "1"]
    try folder.train("plain", steps: 4, ["--report_to", "csv,jsonl"] + saving)
    try folder.train(
      "out", steps: 4, ["--plugin", library, "--report_to", "slow,csv,jsonl"] + saving)
    #expect(try folder.metrics("out")["step"] == [1, 2, 3, 4])
    #expect(try longestStep("out") < longestStep("plain") + 2)
    // The first state waits for the records of step 1, in vain; the later ones do not, or it would be four seconds.
    #expect(try lastTwoSteps("out") < lastTwoSteps("plain") + 3)
  }

  @Test func `a run that fails and one that is interrupted say so`() throws {
    let failed = try Program.run(
      folder.arguments("failed", steps: 50, reporting + ["--learning_rate", "1e30"]))
    #expect(failed.status == 1)
    #expect(try report("failed")["status"]?.string == "failed")
    #expect(try rows("failed").last?["exit_code"]?.int == 1)
    let run = try Program.start(folder.arguments("stopped", steps: 100_000, reporting))
    while run.isRunning && ((try? rows("stopped").count) ?? 0) < 3 { usleep(2000) }
    run.send(SIGINT)
    #expect(try run.result().status == 130)
    #expect(try report("stopped")["status"]?.string == "interrupted")
    #expect(try rows("stopped").last?["exit_code"]?.int == 130)
  }

  @Test func `the default is tensorboard, all are all that there are`() throws {
    let arguments = folder.arguments("out", steps: 1)
    let place = try #require(arguments.firstIndex(of: "--report_to"))
    let silent = Array(arguments[..<place] + arguments[(place + 2)...])
    let result = try Program.run(silent)
    #expect(result.status == 0 && !result.error.contains("note: there is no"))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.file("out/logs"))
        == ["sd_xl_train_t2iadapter"])
    try folder.train("twice", steps: 1, ["--report_to", "csv, jsonl,csv"])
    #expect(try folder.metrics("twice")["step"] == [1])
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.file("twice/logs")).sorted()
        == ["metrics.csv", "metrics.jsonl"])
    try folder.train("all", steps: 1, ["--report_to", "csv,all"])
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.file("all/logs"))
    #expect(
      Set(names).isSuperset(of: [
        "metrics.csv", "metrics.jsonl", "report.html", "sd_xl_train_t2iadapter",
      ]))
  }
}
