import EspalierPluginKit

/// Where a run is on the server.
struct RunPlace: Equatable, Sendable {
  let entity: String
  let project: String
  /// Its id, which the server calls name.
  let run: String
}

/// What the server has of a run that exists, as `RunResumeStatus` tells.
struct RemoteRun {
  /// The storage id, with which an upsert says that the run goes on.
  let id: String?
  let historyLines: Int
  let outputLines: Int
  /// The `_step` of the last row; nil if there is none.
  let lastStep: Int64?
  /// Seconds that the run has been going.
  let runtime: Double
  let summary: [String: JSONValue]
  /// Entries of the form `{"value": …}`.
  let config: [String: JSONValue]

  /// - Parameter bucket: The `bucket` of the answer.
  init(_ bucket: JSONValue) {
    id = bucket["id"]?.string
    historyLines = max(bucket["historyLineCount"]?.int ?? 0, 0)
    outputLines = max(bucket["logLineCount"]?.int ?? 0, 0)
    summary = bucket["summaryMetrics"]?.embedded?.members ?? [:]
    config = bucket["config"]?.embedded?.members ?? [:]
    // A list of rows as texts.
    let tail = bucket["historyTail"]?.embedded?.elements.last?.embedded
    let step = tail?["_step"]?.double ?? (historyLines > 0 ? summary["_step"]?.double : nil)
    lastStep = step.flatMap { Int64(exactly: $0) }
    let runtimes = [
      tail?["_runtime"]?.double, summary["_runtime"]?.double,
      summary["_wandb"]?["runtime"]?.double,
    ]
    runtime = runtimes.compactMap { $0 }.filter(\.isFinite).max() ?? 0
  }

  /// The official client takes a run that has no telemetry for one that never began.
  static func isRun(_ bucket: JSONValue) -> Bool {
    guard case .object = bucket else { return false }
    return bucket["wandbConfig"]?.embedded?["t"] != nil
      || (bucket["historyLineCount"]?.int ?? 0) > 0
  }
}
