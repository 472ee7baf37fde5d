/// Rows of comma-separated values.
///
/// Source: RFC 4180, with line feeds as line ends.
enum CSVText {
  /// The fields as one line with its end; quoted where a comma, quote or line break asks for it.
  static func line(_ fields: [String]) -> String {
    fields.map(quoted).joined(separator: ",") + "\n"
  }

  private static func quoted(_ field: String) -> String {
    let needsQuotes = field.utf8.contains { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }
    guard needsQuotes else { return field }
    return "\""
      + field.split(separator: "\"", omittingEmptySubsequences: false)
      .joined(separator: "\"\"") + "\""
  }

  /// The rows of a file; a last line without its end, left by a crash, is dropped.
  static func rows(_ bytes: [UInt8]) -> [[String]] {
    var rows: [[String]] = []
    var row: [String] = []
    var field: [UInt8] = []
    var isQuoted = false
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      switch byte {
      case 0x22 where isQuoted:
        if index < bytes.count, bytes[index] == 0x22 {
          field.append(byte)
          index += 1
        } else {
          isQuoted = false
        }
      case 0x22: isQuoted = true
      case 0x2C where !isQuoted, 0x0A where !isQuoted:
        row.append(String(decoding: field, as: UTF8.self))
        field = []
        if byte == 0x0A {
          rows.append(row)
          row = []
        }
      case 0x0D where !isQuoted: break
      default: field.append(byte)
      }
    }
    return rows
  }
}
