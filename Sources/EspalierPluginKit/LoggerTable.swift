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
    image: nil, text: nil, flush: nil)
  if offers.contains(.image) {
    api.image = { handle, step, tag, caption, width, height, rgb, error in
      guardCall(error) {
        // Two 32-bit sides times three cannot overflow where their first product does not.
        let (pixels, overflow) = Int(width).multipliedReportingOverflow(by: 3 * Int(height))
        guard !overflow else { throw PluginError.invalidArgument("image: the sides are too long") }
        try logger(handle).image(
          step: step, tag: String(cString: tag), caption: String(cString: caption),
          width: Int(width), height: Int(height),
          rgb: UnsafeBufferPointer(start: rgb, count: pixels))
      }
    }
  }
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
  return api
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
