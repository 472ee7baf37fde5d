import Dispatch
import EspalierABI
import Logging

/// Calls a metric logger's plugin, always from the same thread.
// SAFETY: `api` leads to a table that is never written; `work` runs once.
final class MetricWorker: @unchecked Sendable {
  private let name: String
  private let api: UnsafePointer<esp_logger_api>
  private let queue: MetricQueue

  init(name: String, api: UnsafePointer<esp_logger_api>, queue: MetricQueue) {
    self.name = name
    self.api = api
    self.queue = queue
  }

  /// Opens the logger and hands it records until it is closed.
  func work(run: String) {
    var logger = open(run: run)
    while true {
      let record = queue.next()
      switch record {
      case .close(let done):
        if let logger {
          attempt("end") { api.pointee.close(logger, $0) }
        }
        if queue.droppedCount > 0 {
          queue.logger.warning(
            "metric logger '\(name)': \(queue.droppedCount) records were dropped")
        }
        done.signal()
        return
      case .flush(let done):
        if let open = logger, !write(record, open) { logger = giveUp(open) }
        done.signal()
      case .scalars, .image, .text:
        if let open = logger, !write(record, open) { logger = giveUp(open) }
      }
    }
  }

  private func open(run: String) -> OpaquePointer? {
    var logger: OpaquePointer?
    guard attempt("start", { api.pointee.open(run, &logger, $0) }) else { return nil }
    if logger == nil {
      queue.disable(
        "start",
        CallFailure(code: .internalError, message: "it reported success but made no logger"))
    }
    return logger
  }

  /// Frees a logger that has failed; what `close` says no longer matters.
  private func giveUp(_ logger: OpaquePointer) -> OpaquePointer? {
    try? callPlugin { api.pointee.close(logger, $0) }
    return nil
  }

  private func write(_ record: MetricRecord, _ logger: OpaquePointer) -> Bool {
    switch record {
    case .scalars(let step, let names, let values):
      return attempt("record step \(step)") { error in
        withCStrings(names) { api.pointee.scalars(logger, step, $0, values, values.count, error) }
      }
    case .image(let step, let tag, let caption, let width, let height, let rgb):
      guard let image = api.pointee.image else { return true }
      return attempt("record the image '\(tag)' of step \(step)") {
        image(logger, step, tag, caption, width, height, rgb, $0)
      }
    case .text(let step, let tag, let text):
      guard let write = api.pointee.text else { return true }
      return attempt("record the text '\(tag)' of step \(step)") {
        write(logger, step, tag, text, $0)
      }
    case .flush:
      guard let flush = api.pointee.flush else { return true }
      return attempt("write its records") { flush(logger, $0) }
    case .close:
      return true
    }
  }

  @discardableResult
  private func attempt(
    _ operation: String, _ body: (UnsafeMutablePointer<esp_error>) -> Int32
  ) -> Bool {
    do {
      try callPlugin(body)
      return true
    } catch {
      queue.disable(operation, error)
      return false
    }
  }

  /// Calls `body` with the strings as C has them; the pointers must not escape.
  private func withCStrings<R>(
    _ strings: [String], _ body: ([UnsafePointer<CChar>]) -> R
  ) -> R {
    var bytes: [CChar] = [0]
    let offsets = strings.map { string -> Int in
      defer { bytes += string.utf8CString }
      return bytes.count
    }
    return bytes.withUnsafeBufferPointer { buffer in
      body(offsets.compactMap { offset in buffer.baseAddress.map { $0 + offset } })
    }
  }
}
