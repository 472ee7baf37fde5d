import EspalierPluginKit
import LogFiles

/// The row that may still get values, and the summary of all rows before it. In the file `open.json` of
/// the run's folder, so that a crash loses neither.
struct OpenRow {
  var row: HistoryRow?
  /// The last value of every metric.
  var summary: [String: JSONValue] = [:]

  static let fileName = "open.json"

  init() {}

  init(_ folder: LogFolder) throws(PluginError) {
    guard let bytes = try folder.read(Self.fileName),
      let json = try? JSONValue(parsing: String(decoding: bytes, as: UTF8.self))
    else { return }
    row = json["row"]?.string.flatMap { HistoryRow(line: $0) }
    summary = json["summary"]?.members ?? [:]
  }

  func write(to folder: LogFolder) throws(PluginError) {
    let json = JSONValue.object([
      "row": row.map { .string($0.line) } ?? .null, "summary": .object(summary),
    ])
    try folder.replace(Self.fileName, with: Array((json.text + "\n").utf8))
  }

  /// Takes a row's values into the summary.
  mutating func sum(_ row: HistoryRow) {
    for (key, value) in row.values { summary[key] = value }
    summary["_step"] = .number(Double(row.step))
    summary["_timestamp"] = .number(row.timestamp)
    summary["_runtime"] = .number(row.runtime)
    summary["_wandb"] = .object(["runtime": .number(row.runtime.rounded(.down))])
  }
}
