public import EspalierABI

/// The logger functions of the boundary over `MetricLoggerPlugin` objects.
///
/// `open` is a literal without captures that calls `openLogger`.
public func loggerTable(
  offers: LoggerOffers = [],
  open:
    @escaping @convention(c) (
      UnsafePointer<CChar>, UnsafeMutablePointer<OpaquePointer?>, UnsafeMutablePointer<esp_error>
    ) -> Int32
) -> esp_logger_api {
  var api = esp_logger_api(
    struct_size: UInt32(MemoryLayout<esp_logger_api>.size), flags: 0, open: open,
    scalars: { handle, step, names, values, count, error in
      guardCall(error) {
        try logger(handle).scalars(
          step: step, (0..<count).map { (name: String(cString: names[$0]), value: values[$0]) })
      }
    },
    close: { handle, error in
      let code = guardCall(error) { try logger(handle).close() }
      Handle.destroy(handle, as: LoggerBox.self)
      return code
    },
    image: nil, text: nil, flush: nil, images: nil, console: nil, finish: nil, stop_requested: nil)
  if offers.contains(.images) { offerImages(&api) }
  if offers.contains(.text) {
    api.text = { handle, step, tag, text, error in
      guardCall(error) {
        try logger(handle).text(
          step: step, tag: String(cString: tag), text: String(cString: text))
      }
    }
  }
  if offers.contains(.flush) {
    api.flush = { handle, error in guardCall(error) { try logger(handle).flush() } }
  }
  if offers.contains(.console) {
    api.console = { handle, stream, line, error in
      guardCall(error) {
        try logger(handle).console(
          ConsoleStream(rawValue: stream) ?? .output, line: String(cString: line))
      }
    }
  }
  if offers.contains(.finish) {
    api.finish = { handle, exitCode, error in
      guardCall(error) { try logger(handle).finish(exitCode: exitCode) }
    }
  }
  if offers.contains(.stopRequest) {
    api.stop_requested = { handle in logger(handle).isStopRequested ? 1 : 0 }
  }
  return api
}

/// Fills in `images`, and `image` for hosts before 1.2, as a list of one.
private func offerImages(_ api: inout esp_logger_api) {
  api.images = { handle, step, tag, images, count, error in
    guardCall(error) {
      let images = try (0..<count).map { index throws(PluginError) in
        let image = images[index]
        return try loggedImage(image.caption, image.width, image.height, image.rgb)
      }
      try logger(handle).images(step: step, tag: String(cString: tag), images)
    }
  }
  api.image = { handle, step, tag, caption, width, height, rgb, error in
    guardCall(error) {
      try logger(handle).images(
        step: step, tag: String(cString: tag), [loggedImage(caption, width, height, rgb)])
    }
  }
}

private func loggedImage(
  _ caption: UnsafePointer<CChar>, _ width: UInt32, _ height: UInt32, _ rgb: UnsafePointer<UInt8>
) throws(PluginError) -> LoggedImage {
  // Two 32-bit sides times three cannot overflow where their first product does not.
  let (bytes, overflow) = Int(width).multipliedReportingOverflow(by: 3 * Int(height))
  guard !overflow else { throw .invalidArgument("image: the sides are too long") }
  return LoggedImage(
    caption: String(cString: caption), width: Int(width), height: Int(height),
    rgb: UnsafeBufferPointer(start: rgb, count: bytes))
}

/// The whole body of a logger table's `open`: reads the run's JSON and makes a logger from it.
public func openLogger(
  _ run: UnsafePointer<CChar>, _ out: UnsafeMutablePointer<OpaquePointer?>,
  _ error: UnsafeMutablePointer<esp_error>, owner: String,
  create: (PluginSettings) throws(PluginError) -> any MetricLoggerPlugin
) -> Int32 {
  guardCall(error) {
    out.pointee = nil
    let settings = try PluginSettings(json: String(cString: run), owner: owner)
    out.pointee = Handle.create(LoggerBox(try create(settings)))
  }
}

/// A logger behind an `esp_logger *`.
private final class LoggerBox {
  let logger: any MetricLoggerPlugin

  init(_ logger: any MetricLoggerPlugin) { self.logger = logger }
}

private func logger(_ handle: OpaquePointer) -> any MetricLoggerPlugin {
  Handle.object(handle, as: LoggerBox.self).logger
}
