import EspalierCheckpoints
import EspalierImages
import Foundation
import TestSupport
import Testing

@Suite struct JSONLinesLoggerTests {
  private let folder: TemporaryFolder

  init() throws { folder = try temporaryFolder() }

  private func logger(
    resumeStep: Int? = nil, options: [String: JSONValue] = [:]
  ) throws -> LoggerUnderTest {
    try LoggerUnderTest(
      "jsonl", in: folder.path, config: ["a": .string("\"<é\n")], resumeStep: resumeStep,
      options: options)
  }

  private func rows(_ name: String = "metrics.jsonl") throws -> [JSONValue] {
    let text = try contents(folder.file(name))
    #expect(text.hasSuffix("\n"))
    return try text.split(separator: "\n").map { try JSONValue(parsing: Data($0.utf8)) }
  }

  @Test func `every record is an object on a line of its own, at once`() throws {
    let logger = try logger()
    try logger.log(1, ["loss": 0.1, "train/lr": 1e-5])
    try logger.log(2, ["loss": .nan, "low": -.infinity, "high": .infinity, "step": 3, "type": 4])
    try logger.log(2, tag: "note", text: "line\nbreak \"quoted\" \u{1} ü")
    let rows = try rows()
    try logger.close(exitCode: 3)
    #expect(rows.map { $0["type"]?.string } == ["run", "scalars", "scalars", "text"])
    #expect(rows.map { $0["step"]?.int } == [0, 1, 2, 2])
    let now = Date().timeIntervalSince1970
    #expect(rows.allSatisfy { abs(($0["time"]?.double ?? 0) - now) < 60 })
    #expect(rows[0]["project"]?.string == "p")
    #expect(rows[0]["config"]?["a"]?.string == "\"<é\n")
    #expect(rows[1]["loss"]?.double == 0.1)
    #expect(rows[1]["train/lr"]?.double == 1e-5)
    #expect(rows[2]["loss"]?.string == "NaN")
    #expect(rows[2]["low"]?.string == "-Infinity" && rows[2]["high"]?.string == "Infinity")
    #expect(rows[2]["metric/step"]?.double == 3 && rows[2]["metric/type"]?.double == 4)
    #expect(rows[3]["tag"]?.string == "note")
    #expect(rows[3]["text"]?.string == "line\nbreak \"quoted\" \u{1} ü")
    let end = try #require(try self.rows().last)
    #expect(end["type"]?.string == "end" && end["exit_code"]?.int == 3 && end["step"]?.int == 2)
  }

  @Test func `pictures lie beside the file that names them`() throws {
    let logger = try logger()
    let pictures = [
      LoggerUnderTest.Picture("a house", width: 16, height: 8),
      LoggerUnderTest.Picture("a tree", width: 4, height: 4),
    ]
    try logger.log(5, tag: "some/tag", pictures)
    try logger.close()
    let row = try #require(try rows().last)
    #expect(row["type"]?.string == "images" && row["tag"]?.string == "some/tag")
    for (picture, entry) in zip(pictures, try #require(row["images"]?.array)) {
      #expect(entry["caption"]?.string == picture.caption)
      let read = try Image(contentsOf: folder.file(try #require(entry["file"]?.string)))
      #expect(entry["width"]?.int == picture.width && entry["height"]?.int == picture.height)
      #expect(
        read
          == Image(
            width: picture.width, height: picture.height, channels: 3, bytes: picture.rgb))
    }
  }

  @Test func `no pictures are written where nobody wants them`() throws {
    let logger = try logger(options: ["images": .bool(false)])
    try logger.log(5, [.init(width: 4, height: 4)])
    try logger.close()
    #expect(try folder.contents() == ["metrics.jsonl"])
    #expect(try rows().map { $0["type"]?.string } == ["run"])
  }

  @Test(arguments: ["", "{\"type\": \"scalars\", \"st"])
  func `a resumed run cuts off later rows with their pictures, and what a crash left`(
    torn: String
  ) throws {
    let first = try logger()
    for step in 1...6 {
      try first.log(step, ["loss": Double(step)])
      if step % 2 == 0 { try first.log(step, [.init(width: 4, height: 4)]) }
    }
    try first.close(exitCode: 130)
    let path = folder.file("metrics.jsonl")
    try (try contents(path) + torn).write(toFile: path, atomically: true, encoding: .utf8)
    let second = try logger(resumeStep: 3)
    try second.log(4, ["loss": 40])
    try second.log(4, [.init(width: 4, height: 4)])
    try second.close(exitCode: 0)
    let rows = try rows()
    let scalars = rows.filter { $0["type"]?.string == "scalars" }
    #expect(scalars.map { $0["step"]?.int } == [1, 2, 3, 4])
    #expect(scalars.map { $0["loss"]?.double } == [1, 2, 3, 40])
    #expect(
      rows.filter { $0["type"]?.string == "run" }.map { $0["step"]?.int } == [0, 3])
    #expect(rows.filter { $0["type"]?.string == "end" }.map { $0["exit_code"]?.int } == [0])
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.file("metrics-images")).sorted()
        == ["validation-2-0.png", "validation-4-0.png"])
  }

  @Test func `a new run moves an earlier file aside, whose pictures stay`() throws {
    for red in [UInt8(1), 2] {
      let logger = try logger()
      try logger.log(1, [.init(width: 4, height: 4, red: red)])
      try logger.close()
    }
    for (name, red) in [("metrics.1.jsonl", UInt8(1)), ("metrics.jsonl", 2)] {
      let file = try #require(try rows(name).last?["images"]?[0]?["file"]?.string)
      let image = try Image(contentsOf: folder.file(file))
      #expect(image.bytes.first == red, Comment(rawValue: name))
    }
  }

  @Test func `a folder that is missing is an error that names it`() throws {
    let path = folder.file("missing")
    let failure = try #require(
      refusal { _ = try LoggerUnderTest("jsonl", in: path) })
    #expect(failure.message.contains(path))
  }
}
