import EspalierCheckpoints
import SwiftCSV

extension MetadataTable {
  /// Reads comma-separated values with a header line (RFC 4180); blank lines are skipped.
  ///
  /// The records are cut here and each is parsed by SwiftCSV, which by itself accepts a quote that is never
  /// closed, drops an empty last field at the end of the file, pads short records and knows no line numbers.
  init(csv text: Slice<UnsafeRawBufferPointer>, path: String) throws(DatasetError) {
    var columns: [String]?
    var rows: [Row] = []
    var cutter = CSVRecordCutter(text)
    while let record = cutter.next() {
      if record.text.isEmpty { continue }
      let place = SourceLine(file: path, line: record.line)
      let fields = try Self.fields(of: record, at: place)
      guard let columns else {
        if let twice = fields.indices.first(where: { fields[..<$0].contains(fields[$0]) }) {
          throw .malformedRow(
            place, expected: "a header of different names", found: "\"\(fields[twice])\" twice")
        }
        columns = fields
        continue
      }
      guard fields.count == columns.count else {
        throw .malformedRow(
          place, expected: "\(columns.count) fields, as in the header", found: "\(fields.count)")
      }
      let values = Dictionary(uniqueKeysWithValues: zip(columns, fields.map(JSONValue.string)))
      rows.append(Row(line: place, values: values))
    }
    self.init(columns: columns ?? [], rows: rows)
  }

  private static func fields(
    of record: CSVRecordCutter.Record, at place: SourceLine
  ) throws(DatasetError) -> [String] {
    guard record.isComplete else {
      throw .malformedRow(
        place, expected: "a closing quote", found: "the end of the file within quotes")
    }
    guard let text = String(validating: record.text, as: UTF8.self) else {
      throw .malformedRow(place, expected: "text in UTF-8", found: "other bytes")
    }
    let csv: EnumeratedCSV
    do {
      csv = try EnumeratedCSV(string: text + "\n", delimiter: .comma, loadColumns: false)
    } catch {
      throw .malformedRow(
        place, expected: "quotes around the whole field, inner quotes doubled",
        found: "a quote inside a field")
    }
    guard csv.rows.isEmpty else {
      throw .malformedRow(
        place, expected: "lines that end in LF or CR LF", found: "a carriage return within a line")
    }
    return csv.header
  }
}

/// Cuts text into CSV records: a line end inside quotes does not end a record.
struct CSVRecordCutter {
  struct Record {
    /// Without the line end.
    let text: Slice<UnsafeRawBufferPointer>
    /// The line on which it starts, from 1.
    let line: Int
    /// False if the text ends inside quotes.
    let isComplete: Bool
  }

  private var rest: Slice<UnsafeRawBufferPointer>
  private var line = 1

  init(_ text: Slice<UnsafeRawBufferPointer>) { rest = text }

  mutating func next() -> Record? {
    guard !rest.isEmpty else { return nil }
    let start = line
    var isQuoted = false
    var end = rest.startIndex
    while end < rest.endIndex, isQuoted || rest[end] != UInt8(ascii: "\n") {
      if rest[end] == UInt8(ascii: "\"") { isQuoted.toggle() }
      if rest[end] == UInt8(ascii: "\n") { line += 1 }
      end += 1
    }
    var text = rest[..<end]
    if text.last == 0x0D { text = text.dropLast() }
    rest = rest[end...].dropFirst()
    line += 1
    return Record(text: text, line: start, isComplete: !isQuoted)
  }
}
