import EspalierPluginKit
import Foundation
import TestSupport
import Testing
import WandbClient

/// Whether the official client reads these files is checked by `Tests/Interop/wandb-sync`.
@Suite("W&B offline") struct OfflineTests {
  /// A record of a `.wandb` file.
  private struct Record {
    let number: UInt64
    /// 2 history, 3 summary, 6 files, 13 console, 17 run, 18 exit, 21 header.
    let kind: Int
    let content: [UInt8]
  }

  private func offline(_ more: [String: String] = [:]) throws -> RunUnderTest {
    try RunUnderTest(["WANDB_MODE": "offline"].merging(more) { $1 })
  }

  /// The only folder that a run has made, and its `.wandb` file.
  private func file(_ training: RunUnderTest) throws -> (folder: String, path: String) {
    let wandb = training.folder.file("wandb")
    let names = try FileManager.default.contentsOfDirectory(atPath: wandb)
    let folder = wandb + "/" + (try #require(names.first))
    try #require(names.count == 1 && names[0].hasPrefix("offline-run-"))
    let files = try FileManager.default.contentsOfDirectory(atPath: folder)
    return (folder, folder + "/" + (try #require(files.first { $0.hasSuffix(".wandb") })))
  }

  private func records(_ path: String) throws -> [Record] {
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    #expect(bytes.prefix(7) == [0x3A, 0x57, 0x26, 0x42, 0xE1, 0xBE, 0x00])
    var (position, record, records) = (7, [UInt8](), [Record]())
    while position < bytes.count {
      let left = 32768 - position % 32768
      if left < 7 {
        #expect(bytes[position..<position + left].allSatisfy { $0 == 0 })
        position += left
        continue
      }
      let length = Int(bytes[position + 4]) | Int(bytes[position + 5]) << 8
      let content = bytes[position + 6...position + 6 + length]
      let sum = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[position + $1]) << (8 * UInt32($1)) }
      #expect(crc32(content) == sum && length <= left - 7)
      // 1 whole, 2 first, 3 middle, 4 last.
      let kind = bytes[position + 6]
      #expect((kind == 1 || kind == 2) == record.isEmpty)
      record += content.dropFirst()
      if kind == 1 || kind == 4 {
        records.append(try parsed(record))
        record = []
      }
      position += 7 + length
    }
    #expect(record.isEmpty)
    return records
  }

  private func parsed(_ bytes: [UInt8]) throws -> Record {
    var fields = try fields(bytes[...])
    let number = try #require(fields.removeFirst().value)
    let content = try #require(fields.first)
    #expect(fields.count == 1)
    return Record(number: number, kind: content.number, content: Array(content.bytes))
  }

  private struct Field {
    let number: Int
    var value: UInt64?
    var bytes: ArraySlice<UInt8> = []
    var text: String { String(decoding: bytes, as: UTF8.self) }
  }

  private func fields(_ bytes: ArraySlice<UInt8>) throws -> [Field] {
    var (rest, fields) = (bytes, [Field]())
    func varint() throws -> UInt64 {
      var (value, shift) = (UInt64(0), UInt64(0))
      while let byte = rest.popFirst() {
        value |= UInt64(byte & 0x7F) << shift
        shift += 7
        if byte < 0x80 { break }
      }
      return value
    }
    while !rest.isEmpty {
      let key = try varint()
      var field = Field(number: Int(key >> 3))
      if key & 7 == 0 {
        field.value = try varint()
      } else {
        try #require(key & 7 == 2)
        let count = Int(try varint())
        field.bytes = rest.prefix(count)
        rest = rest.dropFirst(field.bytes.count)
      }
      fields.append(field)
    }
    return fields
  }

  private func crc32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    var sum = UInt32.max
    for byte in bytes {
      sum ^= UInt32(byte)
      for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
    }
    return ~sum
  }

  /// Key and JSON of each item of a history, a summary or a config.
  private func items(_ content: ArraySlice<UInt8>) throws -> [String: String] {
    var items: [String: String] = [:]
    for item in try fields(content) where item.number == 1 {
      let parts = try fields(item.bytes)
      items[try #require(parts.first { $0.number == 1 }).text] =
        try #require(parts.first { $0.number == 16 }).text
    }
    return items
  }

  @Test func `a run is in the file, numbered record by record`() throws {
    let training = try offline(["WANDB_ENTITY": "e", "WANDB_TAGS": "a,b", "WANDB_RUN_ID": "myid"])
    let logger = try training.logger()
    try training.train(logger, 1...3)
    // Across three blocks.
    let long = String(repeating: "0123456789", count: 7000)
    try logger.text(step: 4, tag: "text", text: long)
    try logger.finish(exitCode: 2)
    try logger.close()
    let (folder, path) = try file(training)
    #expect(path.hasSuffix("/run-myid.wandb"))
    let records = try records(path)
    #expect(records.map(\.number) == Array(1...UInt64(records.count)))
    let kinds = records.map(\.kind)
    #expect(kinds.prefix(2) == [21, 17] && kinds.suffix(2) == [3, 18])
    #expect(kinds.filter { $0 == 2 }.count == 4 && kinds.filter { $0 == 13 }.count == 3)
    let rows = try records.filter { $0.kind == 2 }.map { try items($0.content[...]) }
    #expect(rows.map { $0["_step"] } == ["1", "2", "3", "4"])
    #expect(rows[0]["loss"] == "1" && rows[3]["text"] == "\"\(long)\"")
    let image = try JSONValue(parsing: try #require(rows[2]["validation"]))
    let run = try fields(try #require(records.first { $0.kind == 17 }).content[...])
    #expect(
      run.filter { [1, 2, 3, 10].contains($0.number) }.map(\.text)
        == ["myid", "e", "a project é", "a", "b"])
    let config = try #require(run.first { $0.number == 4 })
    #expect(try items(config.bytes)["learning_rate"] == "0.0001")
    let files = try fields(try #require(records.first { $0.kind == 6 }).content[...])
    let names = try files.map { try #require(try fields($0.bytes).first).text }
    #expect(image["filenames"] == .array(names.map { .string($0) }) && names.count == 2)
    for name in names {
      #expect(FileManager.default.fileExists(atPath: "\(folder)/files/\(name)"))
    }
    let exit = try fields(try #require(records.last).content[...])
    #expect(exit.first?.value == 2)
    #expect(training.log.contains("wandb sync \(folder)"), Comment(rawValue: training.log))
  }

  @Test func `a run that goes on is one file without doubles`() throws {
    let training = try offline()
    let first = try training.logger()
    try training.train(first, 1...6)
    // Killed: neither finished nor closed.
    let second = try training.logger(resumeStep: 4)
    try training.train(second, 5...9)
    try second.finish(exitCode: 0)
    try second.close()
    let records = try records(try file(training).path)
    let steps = try records.filter { $0.kind == 2 }.map { try items($0.content[...])["_step"] }
    #expect(steps == (1...9).map(String.init))
    #expect(records.filter { $0.kind == 18 }.count == 1)
    let summary = try items(try #require(records.last { $0.kind == 3 }).content[...])
    #expect(summary["_step"] == "9")
  }

  @Test func `after a sync, what follows is a file of its own`() throws {
    let training = try offline()
    let first = try training.logger()
    try training.train(first, 1...4)
    try first.finish(exitCode: 0)
    try first.close()
    let (folder, path) = try file(training)
    try Data().write(to: URL(fileURLWithPath: path + ".synced"))
    // Folders are named by the second.
    let second = try training.logger(resumeStep: 4)
    try training.train(second, 5...6)
    try second.finish(exitCode: 0)
    try second.close()
    let folders = try FileManager.default.contentsOfDirectory(atPath: training.folder.file("wandb"))
    let other = try #require(folders.first { !folder.hasSuffix($0) })
    let next = "\(training.folder.file("wandb"))/\(other)/\(path.split(separator: "/").last ?? "")"
    let steps = try records(next).filter { $0.kind == 2 }.map {
      try items($0.content[...])["_step"]
    }
    #expect(steps == ["5", "6"])
  }

  @Test(.enabled(if: MockWandbServer.isAvailable, "there is no python3"))
  func `a run that was begun offline goes online when it is resumed`() throws {
    let training = try offline()
    let first = try training.logger()
    try training.train(first, 1...4)
    try first.finish(exitCode: 0)
    try first.close()
    let server = try MockWandbServer()
    let online = try RunUnderTest(server.environment)
    try online.take(training)
    let second = try online.logger(resumeStep: 4)
    try online.train(second, 5...6)
    try second.finish(exitCode: 0)
    try second.close()
    let run = try #require(try server.expectFlawless().runs.first)
    #expect(try server.steps(run) == Array(1...6))
    // And back: what is kept is no second beginning of the run.
    let back = try offline()
    try back.take(online)
    let third = try back.logger(resumeStep: 6)
    try back.train(third, 7...8)
    try third.finish(exitCode: 0)
    try third.close()
    #expect(back.log.contains("WANDB_MODE=online"), Comment(rawValue: back.log))
    let again = try RunUnderTest(server.environment)
    try again.take(back)
    let fourth = try again.logger(resumeStep: 8)
    try fourth.finish(exitCode: 0)
    try fourth.close()
    #expect(try server.steps(try #require(try server.expectFlawless().runs.first)) == Array(1...8))
  }
}
