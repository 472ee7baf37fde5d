import EspalierCheckpoints
import EspalierImages
import Foundation
import TestSupport
import Testing

@Suite struct TensorBoardLoggerTests {
  private let folder: TemporaryFolder

  init() throws { folder = try temporaryFolder() }

  private func logger(
    project: String = "p", config: [String: JSONValue] = [:], resumeStep: Int? = nil,
    options: [String: JSONValue] = [:]
  ) throws -> LoggerUnderTest {
    try LoggerUnderTest(
      "tensorboard", in: folder.path, project: project, config: config, resumeStep: resumeStep,
      options: options)
  }

  private func events(_ run: String = "p") throws -> [EventLog.Event] {
    try EventLog.run(in: folder.file(run))
  }

  /// Known answers of the format's description, checked on the tests' own reader, which checks the rest.
  @Test func `the reader of these tests knows the format`() throws {
    #expect(EventLog.checksum(Array("123456789".utf8)) == 0xE306_9283)
    #expect(EventLog.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(EventLog.maskedChecksum([]) == [0xD8, 0xEA, 0x82, 0xA2])
    let events = try EventLog.events(Self.versionRecord + Self.scalarRecord)
    #expect(events.count == 2)
    #expect(events[0].time == 1.5 && events[0].fileVersion == "brain.Event:2")
    #expect(events[1].time == 1_700_000_000.25 && events[1].step == 7)
    #expect(events[1].values.map(\.tag) == ["train/loss"] && events[1].values[0].scalar == 0.5)
  }

  private static let versionRecord: [UInt8] = [
    0x18, 0, 0, 0, 0, 0, 0, 0, 0xA3, 0x7F, 0x4B, 0x22,
    0x09, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F, 0x1A, 0x0D, 0x62, 0x72, 0x61, 0x69, 0x6E, 0x2E, 0x45,
    0x76, 0x65, 0x6E, 0x74, 0x3A, 0x32, 0x2A, 0x28, 0x64, 0x6C,
  ]

  private static let scalarRecord: [UInt8] = [
    0x20, 0, 0, 0, 0, 0, 0, 0, 0x29, 0xED, 0xA9, 0x50,
    0x09, 0, 0, 0x10, 0x40, 0xFC, 0x54, 0xD9, 0x41, 0x10, 0x07, 0x2A, 0x13, 0x0A, 0x11,
    0x0A, 0x0A, 0x74, 0x72, 0x61, 0x69, 0x6E, 0x2F, 0x6C, 0x6F, 0x73, 0x73, 0x15, 0, 0, 0, 0x3F,
    0x9A, 0xA4, 0x14, 0x37,
  ]

  @Test func `version and scalars are the known bytes but for the time`() throws {
    let logger = try logger()
    try logger.log(7, ["train/loss": 0.5])
    try logger.close()
    let file = try [UInt8](
      Data(
        contentsOf: URL(fileURLWithPath: try #require(EventLog.files(in: folder.file("p")).first))))
    let events = try EventLog.events(file)
    #expect(file.prefix(12) == Self.versionRecord.prefix(12))
    // The time is the only part that differs from run to run.
    let version = try #require(events.first).bytes
    #expect(version[0] == Self.versionRecord[12])
    #expect(Array(version[9...]) == Array(Self.versionRecord[21..<36]))
    let scalar = try #require(events.first { $0.values.first?.scalar != nil }).bytes
    let known = Array(Self.scalarRecord[12..<44])
    #expect(Array(known[..<9] + scalar[9...]) == known)
    let now = Date().timeIntervalSince1970
    #expect(events.allSatisfy { abs($0.time - now) < 60 })
  }

  @Test func `scalars keep their names, steps and values, also those that are no numbers`() throws {
    let logger = try logger()
    try logger.log(1, ["loss": 0.2, "lr": 1e-5, "zero": 0])
    try logger.log(300, ["loss": .nan, "lr": .infinity, "zero": -1e300])
    try logger.close()
    let events = try events()
    #expect(EventLog.scalars(events, "loss").map(\.step) == [1, 300])
    #expect(EventLog.scalars(events, "loss")[0].value == 0.2)
    #expect(EventLog.scalars(events, "loss")[1].value.isNaN)
    #expect(EventLog.scalars(events, "lr").map(\.value) == [1e-5, .infinity])
    #expect(EventLog.scalars(events, "zero").map(\.value) == [0, -.infinity])
  }

  @Test func `the pictures of a step are samples of one tag, with their captions`() throws {
    let pictures = [
      LoggerUnderTest.Picture("a house", width: 64, height: 32),
      LoggerUnderTest.Picture("a tree", width: 64, height: 32, red: 3),
    ]
    let logger = try logger()
    try logger.log(100, pictures)
    try logger.close()
    let event = try #require(try events().first { $0.values.first?.plugin == "images" })
    #expect(event.step == 100)
    let value = try #require(event.values.first)
    #expect(event.values.count == 1)
    #expect(value.tag == "validation" && value.dataClass == 3 && value.shape == [4])
    #expect(value.description == "0. a house\n1. a tree")
    #expect(value.strings.prefix(2).map { String(decoding: $0, as: UTF8.self) } == ["64", "32"])
    for (picture, file) in zip(pictures, value.strings.dropFirst(2)) {
      let read = try file.withUnsafeBytes { try Image(decoding: $0, name: "a.png") }
      #expect(read == Image(width: 64, height: 32, channels: 3, bytes: picture.rgb))
    }
  }

  @Test func `pictures of several sizes do not get lost`() throws {
    let logger = try logger()
    try logger.log(
      1, [.init(width: 8, height: 8), .init(width: 4, height: 8), .init(width: 8, height: 8)])
    try logger.close()
    let values = try events().flatMap(\.values).filter { $0.plugin == "images" }
    #expect(values.map(\.tag) == ["validation/8x8", "validation/4x8"])
    #expect(values.map(\.strings.count) == [4, 3])
  }

  @Test func `settings are a table and hyperparameters, and success ends them`() throws {
    let config: [String: JSONValue] = [
      "resolution": .number(64), "lr_scheduler": .string("a|b\nc"), "mixed": .bool(true),
      "unset": .null, "prompts": .array([.string("x")]),
    ]
    let logger = try logger(config: config)
    try logger.log(1, ["loss": 1])
    try logger.log(2, tag: "note", text: "*hello*")
    try logger.close(exitCode: 0)
    let values = try events().flatMap(\.values)
    let table = try #require(values.first { $0.tag == "config/text_summary" })
    #expect(table.plugin == "text" && table.dataClass == 2 && table.shape == [1])
    #expect(
      String(decoding: try #require(table.strings.first), as: UTF8.self)
        == """
        | setting | value |
        | --- | --- |
        | lr_scheduler | a\\|b c |
        | mixed | true |
        | prompts | ["x"] |
        | resolution | 64 |
        """)
    let note = try #require(values.first { $0.tag == "note" })
    #expect(note.strings.map { String(decoding: $0, as: UTF8.self) } == ["*hello*"])
    let hyperparameters = values.filter { $0.plugin == "hparams" }
    #expect(
      hyperparameters.map(\.tag) == [
        "_hparams_/experiment", "_hparams_/session_start_info", "_hparams_/session_end_info",
      ])
    try expectStart([UInt8](hyperparameters[1].content))
    let status = try EventLog.fields(try message([UInt8](hyperparameters[2].content), 4))
    #expect(status.first { $0.field == 1 }?.value.number == 1)
  }

  /// The bytes of the first field with this number.
  private func message(_ data: [UInt8], _ field: Int) throws -> [UInt8] {
    try #require(try EventLog.fields(data).first { $0.field == field }).value.bytes
  }

  /// Expects values of their own types: a text, a boolean, a list as text, a number.
  private func expectStart(_ content: [UInt8]) throws {
    let entries = try EventLog.fields(try message(content, 3)).filter { $0.field == 1 }
    let names = try entries.map { String(decoding: try message($0.value.bytes, 1), as: UTF8.self) }
    #expect(names == ["lr_scheduler", "mixed", "prompts", "resolution"])
    let values = try entries.compactMap { entry in
      try EventLog.fields(try message(entry.value.bytes, 2)).first
    }
    #expect(values.map(\.field) == [3, 4, 3, 2])
    #expect(values[1].value.number == 1)
    #expect(Double(bitPattern: values[3].value.number) == 64)
  }

  @Test(arguments: [1, 130]) func `a run that did not end well may go on`(code: Int32) throws {
    let logger = try logger()
    try logger.log(1, ["loss": 1])
    try logger.close(exitCode: code)
    #expect(try !events().flatMap(\.values).contains { $0.tag == "_hparams_/session_end_info" })
  }

  @Test func `a resumed run replaces the steps that come again`() throws {
    let first = try logger()
    for step in 0...5 { try first.log(step, ["loss": Double(step)]) }
    try first.log(5, [.init(width: 8, height: 8)])
    try first.close()
    // What a crash in the middle of a write leaves.
    let path = try #require(EventLog.files(in: folder.file("p")).first)
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data([0x20, 0, 0, 0, 0, 0, 0, 0, 0x29, 0xED, 0xA9, 0x50, 9]))
    try handle.close()
    let second = try logger(resumeStep: 3)
    for step in 4...7 { try second.log(step, ["loss": Double(10 * step)]) }
    try second.close()
    #expect(try EventLog.files(in: folder.file("p")).count == 2)
    let scalars = EventLog.scalars(try events(), "loss")
    #expect(scalars.map(\.step) == [0, 1, 2, 3, 4, 5, 6, 7])
    #expect(scalars.map(\.value) == [0, 1, 2, 3, 40, 50, 60, 70])
    #expect(try !events().flatMap(\.values).contains { $0.plugin == "images" })
    let starts = try EventLog.files(in: folder.file("p")).map { path in
      try EventLog.events([UInt8](Data(contentsOf: URL(fileURLWithPath: path))))
        .filter(\.isStart).map(\.step)
    }
    #expect(starts == [[0], [4]])
  }

  /// Readers take files by name, and a clock may stand still or go back.
  @Test func `each file's name is later than those before it`() throws {
    let first = try logger()
    try first.close()
    let name = try #require(EventLog.files(in: folder.file("p")).first)
    let future = folder.file("p/events.out.tfevents.5000000000.host.1.0")
    try FileManager.default.moveItem(atPath: name, toPath: future)
    for step in 1...3 {
      let next = try logger(resumeStep: step)
      try next.close()
    }
    let names = try EventLog.files(in: folder.file("p")).map { ($0 as NSString).lastPathComponent }
    #expect(
      names.map { $0.split(separator: ".")[3] } == [
        "5000000000", "5000000001", "5000000002", "5000000003",
      ])
  }

  @Test func `a new run moves an earlier one aside, and names cannot leave the folder`() throws {
    for value in [1.0, 2] {
      let logger = try logger(project: "../a.b")
      try logger.log(1, ["loss": value])
      try logger.close()
    }
    #expect(try folder.contents() == [".._a.b", ".._a.b.1"])
    #expect(EventLog.scalars(try events(".._a.b.1"), "loss").map(\.value) == [1])
    #expect(EventLog.scalars(try events(".._a.b"), "loss").map(\.value) == [2])
    let named = try logger(options: ["run_name": .string("..")])
    try named.close()
    #expect(try folder.contents() == [".._a.b", ".._a.b.1", "run"])
  }

  @Test func `a file in the folder's place is an error that names it`() throws {
    try Data().write(to: URL(fileURLWithPath: folder.file("p")))
    let failure = try #require(refusal { _ = try logger() })
    #expect(failure.message.contains(folder.file("p")))
  }
}
