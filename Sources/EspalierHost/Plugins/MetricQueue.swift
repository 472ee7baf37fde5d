import Dispatch
import Logging
import Synchronization

/// What waits for a metric logger.
enum MetricRecord: Sendable {
  case scalars(step: Int64, [String], [Double])
  case images(step: Int64, tag: String, [MetricImage])
  case text(step: Int64, tag: String, String)
  case console(MetricConsoleStream, line: String)
  /// Tells when all records before it have been handed over.
  case arrival(DispatchSemaphore)
  case flush(DispatchSemaphore)
  case close(exitCode: Int32?, DispatchSemaphore)

  /// About what it takes in memory.
  var byteCount: Int {
    switch self {
    case .scalars(_, let names, _): 64 * (names.count + 1)
    case .images(_, _, let images): images.reduce(64) { $0 + $1.rgb.count }
    case .text(_, _, let text): text.utf8.count + 64
    case .console(_, let line): line.utf8.count + 64
    case .arrival, .flush, .close: 0
    }
  }
}

/// Asks an open logger whether somebody wants the run to end.
// SAFETY: the boundary lets `stop_requested` be called from any thread while the logger is open, which the
// lock of `MetricQueue` sees to.
struct StopRequest: @unchecked Sendable {
  let logger: OpaquePointer
  let ask: @convention(c) (OpaquePointer) -> Int32

  func callAsFunction() -> Bool { ask(logger) != 0 }
}

/// The bounded buffer between a run and a metric logger.
final class MetricQueue: Sendable {
  private struct State {
    var records: [MetricRecord] = []
    var byteCount = 0
    var dropped = 0
    var isEnabled = true
    var isClosed = false
    /// What to ask whether somebody wants the run to end; set while the logger is open.
    var stopRequest: StopRequest?
  }

  /// The most that waits: records, and bytes of all of them.
  static let mostRecords = 1024
  static let mostBytes = 64 << 20

  let logger: Logger
  private let name: String
  private let state = Mutex(State())
  private let filled = DispatchSemaphore(value: 0)

  init(name: String) {
    self.name = name
    logger = Logger(label: "espalier.logger.\(name)")
  }

  var isEnabled: Bool { state.withLock { $0.isEnabled && !$0.isClosed } }

  /// Adds a record, or drops it if the buffer is full or the logger switched off.
  ///
  /// - Returns: False if an arrival, flush or close has nobody to wait for.
  @discardableResult
  func append(_ record: MetricRecord) -> Bool {
    let (added, isFirstDrop) = state.withLock { state -> (Bool, Bool) in
      guard !state.isClosed else { return (false, false) }
      switch record {
      case .close: state.isClosed = true
      case .arrival, .flush: break
      case .scalars, .images, .text, .console:
        guard state.isEnabled else { return (false, false) }
        let isFull =
          state.records.count >= Self.mostRecords
          || state.byteCount + record.byteCount > Self.mostBytes
        if isFull {
          state.dropped += 1
          return (false, state.dropped == 1)
        }
      }
      state.records.append(record)
      state.byteCount += record.byteCount
      return (true, false)
    }
    if isFirstDrop {
      logger.warning("metric logger '\(name)' is too slow: records are being dropped")
    }
    if added { filled.signal() }
    return added
  }

  /// Waits for the next record.
  func next() -> MetricRecord {
    while true {
      filled.wait()
      let record = state.withLock { state -> MetricRecord? in
        guard !state.records.isEmpty else { return nil }
        let record = state.records.removeFirst()
        state.byteCount -= record.byteCount
        return record
      }
      if let record { return record }
    }
  }

  /// Says what to ask about a stop request; nil once the logger is no more.
  func setStopRequest(_ request: StopRequest?) { state.withLock { $0.stopRequest = request } }

  /// Asks under the lock, so that the logger is not closed meanwhile; the plugin returns at once.
  var isStopRequested: Bool { state.withLock { $0.stopRequest?() ?? false } }

  /// Switches the logger off: what waits is given up, with one warning.
  func disable(_ operation: String, _ failure: CallFailure) {
    state.withLock { $0.isEnabled = false }
    logger.warning(
      "metric logger '\(name)' is switched off: cannot \(operation): \(failure); the run goes on")
  }

  /// The number of records that were dropped because the buffer was full.
  var droppedCount: Int { state.withLock { $0.dropped } }
}
