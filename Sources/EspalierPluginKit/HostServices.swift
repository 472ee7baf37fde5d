public import EspalierABI
import Synchronization

/// The services that the host lends to a plugin; usable from any thread.
public struct HostServices: @unchecked Sendable {
  // SAFETY: the header promises that the table never changes and lives as long as the process.
  private let table: UnsafePointer<esp_host>

  /// How much a message matters; the values are those of the header.
  public enum Level: Int32, Sendable {
    case debug = 0
    case info = 1
    case warning = 2
    case error = 3
  }

  /// The host that entered this plugin, or nil before that.
  public static var current: HostServices? { remembered.withLock { $0 } }

  /// The host's table, the same for all of a process.
  private static let remembered = Mutex<HostServices?>(nil)

  static func remember(_ table: UnsafePointer<esp_host>) {
    let services = HostServices(table: table)
    remembered.withLock { $0 = services }
  }

  /// Shows a message to the user through the host's own log.
  public func log(_ level: Level, _ component: String, _ message: String) {
    table.pointee.log(table.pointee.context, level.rawValue, component, message)
  }

  /// Whether the user asked to stop now; long calls ask and then throw `ESP_CANCELLED`.
  public var isCancelled: Bool { table.pointee.cancelled(table.pointee.context) != 0 }

  /// Threads of the host's parallel loops.
  public var workerCount: Int { Int(table.pointee.worker_count(table.pointee.context)) }

  /// A setting of the run by name (`cache_directory`, …), if set.
  public func config(_ key: String) -> String? {
    table.pointee.config(table.pointee.context, key).map { String(cString: $0) }
  }

  /// The C table, for plugins that pass it on to C code.
  public var pointer: UnsafePointer<esp_host> { table }
}
