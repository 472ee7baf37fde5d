import Dispatch
import EspalierABI
import Logging
import Synchronization

/// A metric logger made by a logger plugin, fed from a thread of its own.
///
/// Never blocks and never stops a run: records wait in a bounded buffer and are dropped with a warning
/// if it is full; a logger that fails is switched off after one warning.
public final class MetricLogger: Sendable {
  public let name: String
  private let queue: MetricQueue

  init(name: String, api: UnsafePointer<esp_logger_api>, run: String) {
    self.name = name
    queue = MetricQueue(name: name)
    let worker = MetricWorker(name: name, api: api, queue: queue)
    DispatchQueue(label: "espalier.logger.\(name)").async { worker.work(run: run) }
  }

  deinit { queue.append(.close(exitCode: nil, DispatchSemaphore(value: 0))) }

  /// False once the logger has failed or was closed.
  public var isEnabled: Bool { queue.isEnabled }

  /// Records numbers by name, `train/loss`, of one training step.
  public func scalars(step: Int, _ values: [(name: String, value: Double)]) {
    queue.append(.scalars(step: Int64(step), values.map(\.name), values.map(\.value)))
  }

  /// Records the images of one step and tag together, if the logger takes images.
  public func images(step: Int, tag: String, _ images: [MetricImage]) {
    queue.append(.images(step: Int64(step), tag: tag, images))
  }

  /// Records a line that the run showed to the user, if the logger takes them.
  public func console(_ stream: MetricConsoleStream, line: String) {
    queue.append(.console(stream, line: line))
  }

  /// True once somebody asked through the logger to end the run.
  public var isStopRequested: Bool { queue.isStopRequested }

  /// Records a text if the logger takes texts.
  public func text(step: Int, tag: String, _ text: String) {
    queue.append(.text(step: Int64(step), tag: tag, text))
  }

  /// Waits until the logger has taken all that was recorded so far, so that a crash afterwards loses nothing that
  /// it writes at once.
  ///
  /// - Parameter seconds: How long to wait at most.
  /// - Returns: False if it was not done in that time.
  @discardableResult
  public func waitForRecords(atMost seconds: Double) -> Bool {
    let done = DispatchSemaphore(value: 0)
    guard isEnabled, queue.append(.arrival(done)) else { return true }
    return done.wait(timeout: .now() + seconds) == .success
  }

  /// Has the logger write what it holds.
  ///
  /// - Parameter seconds: How long to wait at most.
  /// - Returns: False if it was not done in that time.
  @discardableResult
  public func flush(waitingAtMost seconds: Double = 10) -> Bool {
    wait(seconds, "write its records") { .flush($0) }
  }

  /// Ends the logger after all that waits; what is recorded later is dropped.
  ///
  /// - Parameters:
  ///   - exitCode: How the run ended: 0 done, else what the program exits with; nil if nobody knows.
  ///   - seconds: How long to wait at most; a logger that hangs is left to itself.
  /// - Returns: False if it was not done in that time.
  @discardableResult
  public func close(exitCode: Int32? = nil, waitingAtMost seconds: Double = 30) -> Bool {
    wait(seconds, "end") { .close(exitCode: exitCode, $0) }
  }

  private func wait(
    _ seconds: Double, _ operation: String, _ record: (DispatchSemaphore) -> MetricRecord
  ) -> Bool {
    let done = DispatchSemaphore(value: 0)
    guard queue.append(record(done)) else { return true }
    if done.wait(timeout: .now() + seconds) == .success { return true }
    queue.logger.warning("metric logger '\(name)' did not \(operation) within \(seconds) s")
    return false
  }
}
