import EspalierABI
package import EspalierPluginKit
import Glibc
package import LogFiles
import Synchronization

/// A run on the disk: its rows, its console, its images, and what of them the server has.
///
/// The logger records here, and the sender takes from here; either may be called at any time. Everything
/// is handed to the system at once, so that a crash of the program loses nothing. In the run's folder:
///
/// - `history.jsonl`: the rows, one for each step, as they are sent; never changed
/// - `open.json`: the row of the last step, which may still get values, and the summary
/// - `output.log`: the lines of the console
/// - `files/`: images that wait
/// - `run.json`: `RunRecord`
package final class Spool: Sendable {
  struct State {
    let folder: LogFolder
    var record: RunRecord
    var history: LineFile
    var output: LineFile
    var media: MediaFolder
    var open: OpenRow
    /// The step of the last row that takes no more values; -1 before the first.
    var closedStep: Int64
    /// Seconds that the run had been going before this session.
    var earlierRuntime: Double
  }

  package let folder: LogFolder
  private let mostMediaBytes: Int
  private let start = ContinuousClock.now
  private let lock = Mutex(())
  // SAFETY: touched by `locked` alone, which holds the lock.
  private nonisolated(unsafe) var state: State

  /// Opens the folder of a run, with what is there of it.
  ///
  /// - Parameters:
  ///   - mostMediaBytes: The most that images may take while they wait.
  ///   - earlier: The spool of an earlier part of the run, where this one begins.
  package init(
    _ folder: LogFolder, runID: String, mostMediaBytes: Int = .max, after earlier: Spool? = nil
  ) throws(PluginError) {
    self.folder = folder
    self.mostMediaBytes = mostMediaBytes
    var history = try LineFile(folder, "history.jsonl")
    var output = try LineFile(folder, "output.log")
    var open = try OpenRow(folder)
    var record = try RunRecord(folder) ?? RunRecord(runID: runID)
    if let earlier {
      record.earlierStep = earlier.lastStep
      open.summary = earlier.summary
    }
    let last = try history.last().flatMap { HistoryRow(line: $0) }
    let closedStep = last?.step ?? record.earlierStep ?? -1
    // A crash came between the row's end and the note of it.
    if let row = open.row, row.step <= closedStep {
      open.sum(row)
      open.row = nil
    }
    try history.setSent(record.historySent)
    try output.setSent(record.outputSent)
    let media = try MediaFolder(folder)
    try record.write(to: folder)
    state = State(
      folder: folder, record: record, history: history, output: output, media: media, open: open,
      closedStep: closedStep,
      earlierRuntime: max(open.row?.runtime ?? 0, last?.runtime ?? 0, earlier?.runtime ?? 0))
  }

  package var runID: String { locked { $0.record.runID } }

  /// True once a server has answered for this run.
  package var wasOnline: Bool { locked { $0.record.historyBase != nil } }

  /// The last step of which anything is recorded; nil before the first.
  package var lastStep: Int64? {
    locked { $0.open.row?.step ?? ($0.closedStep < 0 ? nil : $0.closedStep) }
  }

  /// Seconds that the run has been going, earlier sessions included.
  package var runtime: Double { locked { runtime($0) } }

  /// Whether values of a step are still taken: a resumed training repeats steps that are recorded.
  package func accepts(step: Int64) -> Bool { locked { $0.accepts(step) } }

  /// Records values of a step.
  ///
  /// - Returns: The row of the step before, if this is the first of a new one.
  @discardableResult
  package func record(
    step: Int64, _ values: [(key: String, value: JSONValue)]
  ) throws(PluginError) -> HistoryRow? {
    try locked { state throws(PluginError) in
      guard state.accepts(step) else { return nil }
      var closed: HistoryRow?
      if let row = state.open.row, row.step < step { closed = try state.close(row) }
      var row =
        state.open.row
        ?? HistoryRow(
          step: step, timestamp: Clock.now, runtime: (runtime(state) * 1000).rounded() / 1000)
      for (key, value) in values { row.set(key, value) }
      state.open.row = row
      try state.open.write(to: state.folder)
      return closed
    }
  }

  /// Ends the row of the last step: it takes no more values and can be sent.
  ///
  /// - Returns: The row, if one was open.
  @discardableResult
  package func closeRow() throws(PluginError) -> HistoryRow? {
    try locked { state throws(PluginError) in
      guard let row = state.open.row else { return nil }
      let closed = try state.close(row)
      try state.open.write(to: state.folder)
      return closed
    }
  }

  /// Records a line of the console as the server wants it.
  package func appendOutput(_ line: String) throws(PluginError) {
    try locked { state throws(PluginError) in try state.output.append(line) }
  }

  /// Keeps an image until the server has it.
  ///
  /// - Returns: False if no more may wait.
  package func addMedia(_ name: String, _ bytes: [UInt8]) throws(PluginError) -> Bool {
    try locked { state throws(PluginError) in
      guard state.media.byteCount + bytes.count <= mostMediaBytes else { return false }
      try state.media.add(name, bytes)
      return true
    }
  }

  /// All rows that take no more values, from the first on.
  package func forEachRow(_ visit: (HistoryRow) -> Void) throws(PluginError) {
    try locked { state throws(PluginError) in
      try state.history.visit { line in
        if let row = HistoryRow(line: line) { visit(row) }
        return true
      }
    }
  }

  /// All lines of the console, from the first on.
  package func forEachOutputLine(_ visit: (String) -> Void) throws(PluginError) {
    try locked { state throws(PluginError) in
      try state.output.visit { line in
        visit(line)
        return true
      }
    }
  }

  /// The last value of every metric of the rows that take no more.
  package var summary: [String: JSONValue] { locked { $0.open.summary } }

  /// Brings everything to the disk.
  package func sync() throws(PluginError) {
    try locked { state throws(PluginError) in
      try state.history.sync()
      try state.output.sync()
    }
  }

  /// Calls `body` with the state, which nobody else touches meanwhile.
  func locked<R: Sendable, Failure: Error>(
    _ body: (inout State) throws(Failure) -> R
  ) throws(Failure) -> R {
    try lock.withLock { _ throws(Failure) in try body(&state) }
  }

  private func runtime(_ state: State) -> Double {
    state.earlierRuntime + (ContinuousClock.now - start) / .seconds(1)
  }
}

extension Spool.State {
  fileprivate func accepts(_ step: Int64) -> Bool {
    step > closedStep && step >= open.row?.step ?? 0
  }

  /// Appends a row to the history; the note that it is open is written by the caller.
  fileprivate mutating func close(_ row: HistoryRow) throws(PluginError) -> HistoryRow {
    try history.append(row.line)
    open.sum(row)
    open.row = nil
    closedStep = row.step
    return row
  }
}
