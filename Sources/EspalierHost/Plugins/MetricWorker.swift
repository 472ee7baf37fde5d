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
      case .close(let exitCode, let done):
        queue.setStopRequest(nil)
        if let logger {
          if let exitCode, let finish = api.pointee.finish {
            attempt("record the end of the run") { finish(logger, exitCode, $0) }
          }
          attempt("end") { api.pointee.close(logger, $0) }
        }
        if queue.droppedCount > 0 {
          queue.logger.warning(
            "metric logger '\(name)': \(queue.droppedCount) records were dropped")
        }
        done.signal()
        return
      case .arrival(let done): done.signal()
      case .flush(let done):
        if let open = logger, !write(record, open) { logger = giveUp(open) }
        done.signal()
      case .scalars, .images, .text, .console:
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
    if let logger, let ask = api.pointee.stop_requested {
      queue.setStopRequest(StopRequest(logger: logger, ask: ask))
    }
    return logger
  }

  /// Frees a logger that has failed; what `close` says no longer matters.
  private func giveUp(_ logger: OpaquePointer) -> OpaquePointer? {
    queue.setStopRequest(nil)
    try? callPlugin { api.pointee.close(logger, $0) }
    return nil
  }

  private func write(_ record: MetricRecord, _ logger: OpaquePointer) -> Bool {
    switch record {
    case .scalars(let step, let names, let values):
      return attempt("record step \(step)") { error in
        withCStrings(names) { api.pointee.scalars(logger, step, $0, values, values.count, error) }
      }
    case .images(let step, let tag, let images):
      return write(images, step: step, tag: tag, logger)
    case .text(let step, let tag, let text):
      guard let write = api.pointee.text else { return true }
      return attempt("record the text '\(tag)' of step \(step)") {
        write(logger, step, tag, text, $0)
      }
    case .console(let stream, let line):
      guard let write = api.pointee.console else { return true }
      return attempt("record a line of the console") {
        write(logger, stream.rawValue, line, $0)
      }
    case .flush:
      guard let flush = api.pointee.flush else { return true }
      return attempt("write its records") { flush(logger, $0) }
    case .arrival, .close:
      return true
    }
  }

  /// Hands over the images of a step together, or one by one where the plugin knows only that.
  private func write(
    _ images: [MetricImage], step: Int64, tag: String, _ logger: OpaquePointer
  ) -> Bool {
    let operation = "record the images '\(tag)' of step \(step)"
    if let write = api.pointee.images {
      return attempt(operation) { error in
        withBoundaryImages(images) { write(logger, step, tag, $0, images.count, error) }
      }
    }
    guard let write = api.pointee.image else { return true }
    return images.enumerated().allSatisfy { index, image in
      attempt(operation) {
        write(
          logger, step, "\(tag)/\(index)", image.caption, UInt32(image.width),
          UInt32(image.height), image.rgb, $0)
      }
    }
  }

  /// Calls `body` with the images as C has them; the pointer must not escape.
  private func withBoundaryImages(
    _ images: [MetricImage], _ body: (UnsafePointer<esp_image>) -> Int32
  ) -> Int32 {
    // One more caption, byte and entry than there are, so that no list is without an address.
    withCStrings(images.map(\.caption) + [""]) { captions in
      let pixels = images.flatMap(\.rgb) + [0]
      return pixels.withUnsafeBufferPointer { pixels in
        guard let first = pixels.baseAddress else { return ESP_INTERNAL }
        var offset = 0
        let end = MetricImage(caption: "", width: 0, height: 0, rgb: [])
        let list = zip(images + [end], captions).map { image, caption in
          defer { offset += image.rgb.count }
          return esp_image(
            caption: caption, width: UInt32(image.width), height: UInt32(image.height),
            rgb: first + offset)
        }
        return list.withUnsafeBufferPointer { $0.baseAddress.map(body) ?? ESP_INTERNAL }
      }
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
