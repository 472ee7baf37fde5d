import EspalierPluginKit

/// One request to a run's stream. A request whose answer was lost is sent again as it is.
struct StreamMessage {
  let batch: Spool.Batch
  /// Images that the server has since the last message.
  var uploaded: [String] = []
  /// How the run ended, in its last message.
  var exitCode: Int32?

  private static let history = "wandb-history.jsonl"
  private static let output = "output.log"
  private static let summary = "wandb-summary.json"

  /// An empty object if there is nothing to tell but that the run is alive.
  var body: String {
    var files: [String: JSONValue] = [:]
    if !batch.history.isEmpty {
      files[Self.history] = Self.chunk(batch.historyOffset, batch.history)
    }
    if !batch.output.isEmpty { files[Self.output] = Self.chunk(batch.outputOffset, batch.output) }
    if let summary = batch.summary { files[Self.summary] = Self.chunk(0, [summary]) }
    var members: [String: JSONValue] = [:]
    if !files.isEmpty { members["files"] = .object(files) }
    if !uploaded.isEmpty { members["uploaded"] = .array(uploaded.map { .string($0) }) }
    if let exitCode {
      members["complete"] = .bool(true)
      members["exitcode"] = .number(Double(exitCode))
    }
    return JSONValue.object(members).text
  }

  private static func chunk(_ offset: Int, _ lines: [String]) -> JSONValue {
    .object([
      "offset": .number(Double(offset)), "content": .array(lines.map { .string($0) }),
    ])
  }
}
