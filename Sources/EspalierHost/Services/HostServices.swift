import CEspalierRuntime
public import EspalierABI
import Glibc
import Logging
import Synchronization

/// What the host offers to plugins: log, thread pool, stop flag and settings of the run.
public enum HostServices {
  /// The table that every plugin's entry receives; lives as long as the process.
  // SAFETY: written once here, read-only afterwards.
  public nonisolated(unsafe) static let table: UnsafePointer<esp_host> = {
    let table = UnsafeMutablePointer<esp_host>.allocate(capacity: 1)
    table.initialize(
      to: esp_host(
        struct_size: UInt32(MemoryLayout<esp_host>.size), abi_major: ESP_ABI_MAJOR,
        abi_minor: ESP_ABI_MINOR, reserved: 0, context: nil,
        log: { _, level, component, message in
          HostServices.log(
            level, component: String(cString: component), message: String(cString: message))
        },
        parallel_for: { _, count, grain, body, argument in
          espalier_pool_for(count, grain, body, argument)
        },
        worker_count: { _ in espalier_pool_threads() },
        cancelled: { _ in espalier_cancelled() },
        config: { _, key in HostServices.setting(String(cString: key)) }))
    return UnsafePointer(table)
  }()

  /// Publishes a setting of the run to plugins; the names are listed in `Docs/WritingAPlugin.md`.
  public static func setSetting(_ key: String, to value: String) {
    settings.withLock { settings in
      if let old = settings[key], String(cString: old.text) == value { return }
      // Never freed: a plugin may keep the text that it was given.
      if let text = strdup(value) { settings[key] = Text(text: UnsafePointer(text)) }
    }
  }

  /// Makes freed memory of 64 KiB and more go back to the system at once; for a program's first line.
  public static func returnFreedMemory() { espalier_return_freed_memory() }

  /// Asks long calls in plugins to stop, or withdraws it; may be called in a signal handler.
  public static func setCancelled(_ cancelled: Bool) { espalier_cancel(cancelled ? 1 : 0) }

  /// True once the user asked to stop now.
  public static var isCancelled: Bool { espalier_cancelled() != 0 }

  // SAFETY: the text is never written or freed.
  private struct Text: @unchecked Sendable {
    let text: UnsafePointer<CChar>
  }

  private static let settings = Mutex<[String: Text]>([:])
  private static let loggers = Mutex<[String: Logger]>([:])

  private static func setting(_ key: String) -> UnsafePointer<CChar>? {
    settings.withLock { $0[key] }?.text
  }

  private static func log(_ level: Int32, component: String, message: String) {
    let logger = loggers.withLock { loggers in
      if let logger = loggers[component] { return logger }
      let logger = Logger(label: component)
      loggers[component] = logger
      return logger
    }
    let logLevel: Logger.Level =
      switch level {
      case ..<ESP_LOG_INFO: .debug
      case ESP_LOG_INFO: .info
      case ESP_LOG_WARNING: .warning
      default: .error
      }
    logger.log(level: logLevel, "\(message)")
  }
}
