import Glibc
import Logging

/// Standard error: everything that is not a result.
enum StandardError {
  /// Writes one line in a single call, so that lines of several threads do not mix.
  static func write(_ line: String) {
    var bytes = Array(line.utf8)
    bytes.append(UInt8(ascii: "\n"))
    var start = 0
    while start < bytes.count {
      let written = bytes[start...].withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
      if written < 0 && errno == EINTR { continue }
      guard written > 0 else { return }
      start += written
    }
  }
}

/// Writes log records to standard error as `warning: text`; plain text for notices and information.
struct StandardErrorLogHandler: LogHandler {
  let label: String
  var metadata = Logger.Metadata()
  var logLevel: Logger.Level = StandardErrorLogHandler.level

  init(label: String) { self.label = label }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let prefix =
      switch event.level {
      case .trace, .debug: "debug: \(label): "
      case .info, .notice: ""
      case .warning: "warning: "
      case .error, .critical: "error: "
      }
    StandardError.write(prefix + event.message.description)
  }

  /// From `ESPALIER_LOG`, by the names of swift-log; `info` otherwise.
  private static let level: Logger.Level =
    getenv("ESPALIER_LOG").flatMap { Logger.Level(rawValue: String(cString: $0)) } ?? .info
}
