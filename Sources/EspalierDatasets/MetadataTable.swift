import EspalierCheckpoints
import EspalierTensors

/// The rows of a metadata file with the lines that they stand on.
struct MetadataTable {
  struct Row {
    let line: SourceLine
    let values: [String: JSONValue]
  }

  /// All columns in the order in which they first appear.
  let columns: [String]
  let rows: [Row]

  init(columns: [String], rows: [Row]) {
    self.columns = columns
    self.rows = rows
  }

  /// Reads CSV if the name says so, else JSON lines.
  init(contentsOf path: String) throws(DatasetError) {
    let file: MappedFile
    do {
      file = try MappedFile(path: path)
    } catch {
      throw .file(error)
    }
    self = try withExtendedLifetime(file) { () throws(DatasetError) in
      let text =
        file.bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? file.bytes.dropFirst(3) : file.bytes[...]
      return path.hasSuffix(".csv")
        ? try MetadataTable(csv: text, path: path) : try MetadataTable(jsonLines: text, path: path)
    }
  }

  /// Reads one JSON object a line; blank lines are skipped.
  init(jsonLines text: Slice<UnsafeRawBufferPointer>, path: String) throws(DatasetError) {
    var columns: [String] = []
    var known: Set<String> = []
    var rows: [Row] = []
    var number = 0
    for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      number += 1
      if line.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == 0x0D || $0 == 0x09 }) { continue }
      let place = SourceLine(file: path, line: number)
      let value: JSONValue
      do {
        value = try JSONValue(parsing: line)
      } catch {
        throw .malformedRow(
          place, expected: error.expected, found: "\(error.found) at byte \(error.offset)")
      }
      guard let members = value.members else {
        throw .malformedRow(place, expected: "a JSON object, one a line", found: value.kind)
      }
      for member in members where known.insert(member.key).inserted { columns.append(member.key) }
      let values = Dictionary(members.map { ($0.key, $0.value) }) { _, last in last }
      rows.append(Row(line: place, values: values))
    }
    self.init(columns: columns, rows: rows)
  }
}
