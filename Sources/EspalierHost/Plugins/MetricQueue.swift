import Dispatch
import Logging
import Synchronization

/// What waits for a metric logger.
enum MetricRecord: Sendable {
  case scalars(step: Int64, [String], [Double])
  case image(step: Int64, tag: String, caption: String, width: UInt32, height: UInt32, [UInt8])
  case text(step: Int64, tag: String, String)
  case flush(DispatchSemaphore)
  case close(DispatchSemaphore)

  /// About what it takes in memory.
  var byteCount: Int {
    switch self {
    case .scalars(_, let names, _): 64 * (names.count + 1)
    case .image(_, _, _, _, _, let rgb): rgb.count
    case .text(_, _, let text): text.utf8.count + 64
    case .flush, .close: 0
    }
  }
}

/// The bounded buffer between a run and a metric logger.
final class MetricQueue: Sendable {
  private struct State {
    var records: [MetricRecord] = []
    var byteCount = 0
    var dropped = 0
    var isEnabled = true
    var isClosed = false
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
  /// - Returns: False if a flush or close has nobody to wait for.
  @discardableResult
  func append(_ record: MetricRecord) -> Bool {
    let (added, isFirstDrop) = state.withLock { state -> (Bool, Bool) in
      guard !state.isClosed else { return (false, false) }
      switch record {
      case .close: state.isClosed = true
      case .flush: break
      case .scalars, .image, .text:
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

  /// Switches the logger off: what waits is given up, with one warning.
  func disable(_ operation: String, _ failure: CallFailure) {
    state.withLock { $0.isEnabled = false }
    logger.warning(
      "metric logger '\(name)' is switched off: cannot \(operation): \(failure); the run goes on")
  }

  /// The number of records that were dropped because the buffer was full.
  var droppedCount: Int { state.withLock { $0.dropped } }
}
