import EspalierABI

/// The logger functions of the boundary over the library's `MetricLoggerPlugin`.
func loggerTable() -> esp_logger_api {
  esp_logger_api(
    struct_size: UInt32(MemoryLayout<esp_logger_api>.size), flags: 0,
    open: { run, out, error in
      guardCall(error) {
        out.pointee = nil
        let type = try Registered.loggerType()
        let run = try LoggerRun(json: String(cString: run), owner: "\(type.name) logger")
        out.pointee = Handle.create(LoggerBox(try type.init(run)))
      }
    },
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
    // For hosts before 1.2, a list of one.
    image: { handle, step, tag, caption, width, height, rgb, error in
      guardCall(error) {
        try logger(handle).images(
          step: step, tag: String(cString: tag), [loggedImage(caption, width, height, rgb)])
      }
    },
    text: { handle, step, tag, text, error in
      guardCall(error) {
        try logger(handle).text(
          step: step, tag: String(cString: tag), text: String(cString: text))
      }
    },
    flush: { handle, error in guardCall(error) { try logger(handle).flush() } },
    images: { handle, step, tag, images, count, error in
      guardCall(error) {
        let images = try (0..<count).map { index throws(PluginError) in
          let image = images[index]
          return try loggedImage(image.caption, image.width, image.height, image.rgb)
        }
        try logger(handle).images(step: step, tag: String(cString: tag), images)
      }
    },
    console: { handle, stream, line, error in
      guardCall(error) {
        try logger(handle).console(
          ConsoleStream(rawValue: stream) ?? .output, line: String(cString: line))
      }
    },
    finish: { handle, exitCode, error in
      guardCall(error) { try logger(handle).finish(exitCode: exitCode) }
    },
    stop_requested: { handle in logger(handle).isStopRequested ? 1 : 0 })
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

/// A logger behind an `esp_logger *`.
private final class LoggerBox {
  let logger: any MetricLoggerPlugin

  init(_ logger: any MetricLoggerPlugin) { self.logger = logger }
}

private func logger(_ handle: OpaquePointer) -> any MetricLoggerPlugin {
  Handle.object(handle, as: LoggerBox.self).logger
}
