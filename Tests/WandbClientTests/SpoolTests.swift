import EspalierPluginKit
import Foundation
import LogFiles
import TestSupport
import Testing
import WandbClient

@Suite("W&B spool") struct SpoolTests {
  private let folder: TemporaryFolder
  private let log: LogFolder

  init() throws {
    folder = try temporaryFolder()
    log = try LogFolder(folder.path, owner: "test")
  }

  private func open() throws -> Spool { try Spool(log, runID: "r") }

  private func number(_ value: Double) -> [(key: String, value: JSONValue)] {
    [("loss", .number(value))]
  }

  private func steps(_ spool: Spool) throws -> [Int64] {
    var steps: [Int64] = []
    try spool.forEachRow { steps.append($0.step) }
    return steps
  }

  @Test func `values of one step share a row, which ends with the next step`() throws {
    let spool = try open()
    #expect(try spool.record(step: 1, number(1)) == nil)
    #expect(try spool.record(step: 1, [("lr", .number(2)), ("loss", .number(3))]) == nil)
    let row = try #require(try spool.record(step: 2, number(4)))
    #expect(row.step == 1 && row.values.map(\.key) == ["loss", "lr"])
    #expect(row.values.map(\.value) == [.number(3), .number(2)])
    #expect(try steps(spool) == [1])
    #expect(spool.lastStep == 2 && spool.summary["loss"] == .number(3))
    #expect(try spool.closeRow()?.step == 2)
    #expect(try spool.closeRow() == nil)
    #expect(spool.summary["_step"] == .number(2) && spool.summary["lr"] == .number(2))
  }

  /// Nothing is written when the program is killed; what was recorded is there all the same.
  @Test func `a crash loses no value, also not of the step that was open`() throws {
    let first = try open()
    for step in Int64(1)...3 { try first.record(step: step, number(Double(step))) }
    try first.appendOutput("2025-01-01T00:00:00.000000 a")
    let second = try open()
    #expect(try steps(second) == [1, 2])
    #expect(second.lastStep == 3)
    // The training goes on from step 1: what it repeats is there already.
    #expect(!second.accepts(step: 2) && second.accepts(step: 3))
    try second.record(step: 2, number(99))
    try second.record(step: 3, [("more", .number(5))])
    let row = try #require(try second.record(step: 4, number(4)))
    #expect(Set(row.values.map(\.key)) == ["loss", "more"])
    #expect(try steps(second) == [1, 2, 3])
    #expect(second.summary["loss"] == .number(3))
  }

  @Test func `a crash between a row's end and the note of it doubles nothing`() throws {
    let first = try open()
    try first.record(step: 1, number(1))
    let note = try Data(contentsOf: URL(fileURLWithPath: folder.file("open.json")))
    try first.record(step: 2, number(2))
    try note.write(to: URL(fileURLWithPath: folder.file("open.json")))
    let second = try open()
    #expect(try steps(second) == [1])
    try second.record(step: 1, number(1))
    try second.record(step: 2, number(2))
    try second.closeRow()
    #expect(try steps(second) == [1, 2])
  }

  @Test func `a line that a crash cut short is dropped`() throws {
    let first = try open()
    for step in Int64(1)...3 { try first.record(step: step, number(1)) }
    let path = folder.file("history.jsonl")
    let text = try String(contentsOfFile: path, encoding: .utf8)
    try (text + #"{"_step": 3, "lo"#).write(toFile: path, atomically: true, encoding: .utf8)
    let second = try open()
    #expect(try steps(second) == [1, 2])
    try second.closeRow()
    #expect(try steps(second) == [1, 2, 3])
  }

  @Test func `rows are read back in any length, and numbers that are not finite too`() throws {
    let spool = try open()
    let long = String(repeating: "é\"\n", count: 300_000)
    try spool.record(step: 1, [("text", .string(long)), ("_own", .number(.infinity))])
    try spool.record(step: 1 << 40, [("nan", .number(.nan)), ("min", .number(-.infinity))])
    try spool.closeRow()
    let text = try String(contentsOfFile: folder.file("history.jsonl"), encoding: .utf8)
    #expect(text.contains("\"_step\": 1099511627776,"))
    #expect(text.contains("\"nan\": NaN") && text.contains("\"min\": -Infinity"))
    var rows: [HistoryRow] = []
    try spool.forEachRow { rows.append($0) }
    #expect(rows.map(\.step) == [1, 1 << 40])
    let values = Dictionary(uniqueKeysWithValues: rows[0].values.map { ($0.key, $0.value) })
    #expect(values["text"] == .string(long) && values["own"] == .number(.infinity))
  }

  @Test func `images wait up to a limit, also across a crash`() throws {
    let first = try Spool(log, runID: "r", mostMediaBytes: 100)
    #expect(try first.addMedia("media/images/a/b.png", [UInt8](repeating: 1, count: 60)))
    #expect(try !first.addMedia("media/images/c.png", [UInt8](repeating: 2, count: 41)))
    let second = try Spool(log, runID: "r", mostMediaBytes: 100)
    #expect(try !second.addMedia("media/images/c.png", [UInt8](repeating: 2, count: 41)))
    #expect(try second.addMedia("media/images/c.png", [UInt8](repeating: 2, count: 40)))
    #expect(try folder.contents().contains("files"))
  }

  @Test func `a part after another one takes no step of it`() throws {
    let first = try open()
    for step in Int64(1)...3 { try first.record(step: step, number(Double(step))) }
    try first.closeRow()
    let second = try Spool(try log.folder("next"), runID: "r", after: first)
    #expect(second.summary["loss"] == .number(3) && !second.accepts(step: 3))
    let third = try Spool(try log.folder("next"), runID: "r")
    #expect(!third.accepts(step: 3) && third.accepts(step: 4))
  }

  @Test func `a folder that cannot be written is an error that names it`() throws {
    let failure = try #require(throws: PluginError.self) {
      _ = try Spool(try LogFolder("/proc", owner: "wandb logger"), runID: "r")
    }
    #expect(failure.message.contains("/proc"), Comment(rawValue: failure.message))
  }
}
