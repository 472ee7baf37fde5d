import EspalierPluginKit
import LogFiles

/// The sender's side: what waits, and what has arrived.
extension Spool {
  /// What is sent in one request.
  struct Batch {
    var historyOffset = 0
    var history: [String] = []
    var outputOffset = 0
    var output: [String] = []
    /// With the rows.
    var summary: String?
    /// True if nothing is left behind.
    var isLast = true
  }

  /// Fits the spool to the run on the server: lines that have arrived are not sent again, whatever this
  /// side knew, and the numbers of new ones follow the server's.
  ///
  /// - Parameters:
  ///   - historyLines: The first free line there.
  ///   - remote: What the server told about a run that was there before.
  func attach(_ place: RunPlace, historyLines: Int, remote: RemoteRun?) throws(PluginError) {
    try locked { state throws(PluginError) in
      state.record.entity = place.entity
      state.record.project = place.project
      let lastStep = remote?.lastStep ?? -1
      if let base = state.record.historyBase, base <= historyLines {
        // A power cut may have taken lines from this side that the server has.
        let sent = min(historyLines - base, state.history.count)
        state.record.historyBase = historyLines - sent
        try state.history.setSent(sent)
      } else {
        let known = try Self.rows(of: state.history, upTo: lastStep)
        state.record.historyBase = historyLines - known
        try state.history.setSent(known)
      }
      let outputLines = remote?.outputLines ?? 0
      if let base = state.record.outputBase, base <= outputLines {
        let sent = min(outputLines - base, state.output.count)
        state.record.outputBase = outputLines - sent
        try state.output.setSent(sent)
      } else {
        state.record.outputBase = outputLines
        try state.output.setSent(0)
      }
      state.closedStep = max(state.closedStep, lastStep)
      if let row = state.open.row, row.step <= lastStep { state.open.row = nil }
      state.open.summary.merge(remote?.summary ?? [:]) { own, _ in own }
      state.earlierRuntime = max(state.earlierRuntime, remote?.runtime ?? 0)
      try state.open.write(to: state.folder)
      try state.saveRecord()
    }
  }

  /// What waits, as much as one request should hold.
  func batch(historyBytes: Int = 2 << 20, outputBytes: Int = 1 << 20) throws(PluginError) -> Batch {
    try locked { state throws(PluginError) in
      let history = try state.history.unsent(atMost: historyBytes)
      let output = try state.output.unsent(atMost: outputBytes)
      var batch = Batch(
        historyOffset: (state.record.historyBase ?? 0) + state.history.sent, history: history,
        outputOffset: (state.record.outputBase ?? 0) + state.output.sent, output: output)
      if !history.isEmpty { batch.summary = JSONValue.object(state.open.summary).text }
      batch.isLast =
        state.history.sent + history.count == state.history.count
        && state.output.sent + output.count == state.output.count
      return batch
    }
  }

  /// Notes that a batch has arrived.
  func acknowledge(_ batch: Batch) throws(PluginError) {
    guard !batch.history.isEmpty || !batch.output.isEmpty else { return }
    try locked { state throws(PluginError) in
      try state.history.setSent(state.history.sent + batch.history.count)
      try state.output.setSent(state.output.sent + batch.output.count)
      try state.saveRecord()
    }
  }

  /// Where the run is, as the server once said.
  var recordedPlace: (entity: String?, project: String?) {
    locked { ($0.record.entity, $0.record.project) }
  }

  /// Whether lines wait.
  var hasUnsentLines: Bool {
    locked { $0.history.sent < $0.history.count || $0.output.sent < $0.output.count }
  }

  /// What has not arrived: rows that can be sent, and images.
  var unsent: (rows: Int, images: Int) {
    locked { ($0.history.count - $0.history.sent, $0.media.waiting.count) }
  }

  /// Images that wait, in order.
  var waitingMedia: [String] { locked { $0.media.waiting.map(\.name) } }

  func readMedia(_ name: String) throws(PluginError) -> [UInt8]? {
    try locked { state throws(PluginError) in try state.media.read(name) }
  }

  /// Lets go of an image that the server has.
  func removeMedia(_ name: String) { locked { $0.media.remove(name) } }

  /// How many rows have steps up to `step`; steps grow from row to row.
  private static func rows(of history: LineFile, upTo step: Int64) throws(PluginError) -> Int {
    guard step >= 0 else { return 0 }
    var count = 0
    try history.visit { line in
      guard let row = HistoryRow(line: line), row.step <= step else { return false }
      count += 1
      return true
    }
    return count
  }
}

extension Spool.State {
  fileprivate mutating func saveRecord() throws(PluginError) {
    record.historySent = history.sent
    record.outputSent = output.sent
    try record.write(to: folder)
  }
}
