import EspalierPluginKit
import Glibc
import LogFiles

/// A run as the `.wandb` file that `wandb sync` uploads. Begun anew from the spool whenever a training goes
/// on, then row by row.
///
/// Source: `wandb_internal.proto` of the official client; numbers of fields stand where they are used.
final class OfflineFile {
  private let file: RecordFile
  private var count: Int64 = 0
  private var lastSummary = ContinuousClock.now

  /// How often the summary is written, in case that the end is not.
  private static let summaryInterval = Duration.seconds(15)

  static func name(_ runID: String) -> String { "run-\(runID).wandb" }

  /// Writes what the spool holds.
  ///
  /// - Parameter plan: The run; where it goes is decided when it is uploaded, except for what is said here.
  init(_ spool: Spool, _ plan: RunPlan) throws(PluginError) {
    file = try RecordFile(spool.folder, Self.name(plan.runID))
    var version = ProtobufMessage()
    version.add(1, HTTPConnection.userAgent)
    var header = ProtobufMessage()
    header.add(1, version)
    try append(21, header)
    try append(17, Self.run(plan))
    var rows: [HistoryRow] = []
    try spool.forEachRow { rows.append($0) }
    for row in rows { try write(row) }
    var lines: [String] = []
    try spool.forEachOutputLine { lines.append($0) }
    for line in lines { try write(console: line) }
    if !rows.isEmpty { try write(summary: spool.summary) }
  }

  /// Appends a row, and now and then the summary after it.
  func append(_ row: HistoryRow, _ summary: @autoclosure () -> [String: JSONValue])
    throws(PluginError)
  {
    try write(row)
    guard ContinuousClock.now - lastSummary >= Self.summaryInterval else { return }
    try write(summary: summary())
  }

  /// Appends a line of the console, as the server wants it: `2026-11-22T22:54:28.205873 text`.
  func write(console line: String) throws(PluginError) {
    let isError = line.hasPrefix(ConsoleLine.errorMark)
    let text = isError ? line.dropFirst(ConsoleLine.errorMark.count) : line[...]
    var output = ProtobufMessage()
    output.add(1, Int64(isError ? 0 : 1))
    if let time = ConsoleLine.time(of: text) { output.add(2, Self.timestamp(time)) }
    output.add(3, text.dropFirst(ConsoleLine.stampLength + 1) + "\n")
    try append(13, output)
  }

  /// Appends the end. A file without one is uploaded as a run that failed.
  func finish(
    exitCode: Int32, runtime: Double, summary: [String: JSONValue]
  ) throws(PluginError) {
    try write(summary: summary)
    var exit = ProtobufMessage()
    exit.add(1, Int64(exitCode))
    exit.add(2, Int64(runtime))
    try append(18, exit)
    try file.sync()
  }

  func sync() throws(PluginError) { try file.sync() }

  private func write(_ row: HistoryRow) throws(PluginError) {
    var history = ProtobufMessage()
    let own: [(key: String, value: JSONValue)] = [
      ("_step", .number(Double(row.step))), ("_timestamp", .number(row.timestamp)),
      ("_runtime", .number(row.runtime)),
    ]
    for (key, value) in own + row.values { history.add(1, Self.item(key, value)) }
    var step = ProtobufMessage()
    step.add(1, row.step)
    history.add(2, step)
    let media = row.values.flatMap { $0.value["filenames"]?.elements.compactMap(\.string) ?? [] }
    if !media.isEmpty { try write(media: media) }
    try append(2, history)
  }

  private func write(media: [String]) throws(PluginError) {
    var files = ProtobufMessage()
    for path in media {
      var item = ProtobufMessage()
      item.add(1, path)
      item.add(2, Int64(0))  // now
      item.add(3, Int64(2))  // media
      files.add(1, item)
    }
    try append(6, files)
  }

  private func write(summary: [String: JSONValue]) throws(PluginError) {
    lastSummary = ContinuousClock.now
    var record = ProtobufMessage()
    for (key, value) in summary.sorted(by: { $0.key < $1.key }) {
      record.add(1, Self.item(key, value))
    }
    try append(3, record)
  }

  private func append(_ field: UInt64, _ content: ProtobufMessage) throws(PluginError) {
    count += 1
    var record = ProtobufMessage()
    record.add(1, count)
    record.add(field, content)
    try file.append(record.bytes)
  }

  /// A key with its value as JSON: an item of a history, a summary or a config.
  private static func item(_ key: String, _ value: JSONValue) -> ProtobufMessage {
    var item = ProtobufMessage()
    item.add(1, key)
    item.add(16, value.text)
    return item
  }

  private static func run(_ plan: RunPlan) -> ProtobufMessage {
    let settings = plan.settings
    var config = ProtobufMessage()
    for (key, value) in plan.config.sorted(by: { $0.key < $1.key }) {
      config.add(1, item(key, value))
    }
    var run = ProtobufMessage()
    run.add(1, plan.runID)
    run.add(2, settings.entity)
    run.add(3, settings.project)
    run.add(4, config)
    run.add(6, settings.group)
    run.add(7, settings.jobType)
    run.add(8, settings.name)
    run.add(9, settings.notes)
    for tag in settings.tags ?? [] { run.add(10, tag) }
    run.add(17, timestamp(Clock.now))
    return run
  }

  /// Seconds since 1970 as `google.protobuf.Timestamp`.
  private static func timestamp(_ time: Double) -> ProtobufMessage {
    var message = ProtobufMessage()
    message.add(1, Int64(time.rounded(.down)))
    message.add(2, Int64((time - time.rounded(.down)) * 1e9))
    return message
  }
}
