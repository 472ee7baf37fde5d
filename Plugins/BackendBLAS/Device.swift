import EspalierABI
import Glibc
import Synchronization

/// The host's table of services, as it came with the entry call.
// SAFETY: the host keeps the table for the life of the process, never changes it, and allows its use
// from any thread.
struct Host: @unchecked Sendable {
  let table: UnsafePointer<esp_host>

  /// The host that loaded the library.
  static let current = Mutex<Host?>(nil)

  var workers: UInt32 { max(1, table.pointee.worker_count(table.pointee.context)) }
  var isCancelled: Bool { table.pointee.cancelled(table.pointee.context) != 0 }
}

/// The bytes that a device holds, shared by its buffers and executables.
final class MemoryLedger: Sendable {
  private let state = Mutex((now: UInt64(0), peak: UInt64(0)))

  var bytes: (now: UInt64, peak: UInt64) { state.withLock { $0 } }

  func add(_ count: UInt64) {
    state.withLock {
      $0.now &+= count
      $0.peak = max($0.peak, $0.now)
    }
  }

  func subtract(_ count: UInt64) {
    state.withLock { $0.now &-= count }
  }
}

/// The machine's processors and memory.
final class Device: Sendable {
  /// Of a tensor inside a buffer: a cache line, and the widest vector register.
  static let alignment: UInt64 = 64

  let host: Host
  let ledger = MemoryLedger()

  init() throws(BackendError) {
    guard let host = Host.current.withLock({ $0 }) else {
      throw .invalid("the device was opened before the plugin's entry was called")
    }
    self.host = host
  }

  /// The machine's memory in bytes, in all and not in use.
  static var machineMemory: (total: UInt64, free: UInt64) {
    let pages = max(0, sysconf(Int32(_SC_PHYS_PAGES)))
    let pageBytes = max(0, sysconf(Int32(_SC_PAGESIZE)))
    let total = UInt64(pages) &* UInt64(pageBytes)
    return (total, availableMemory ?? 0)
  }

  /// Fills the host's description of the one device.
  static func describe(into info: UnsafeMutablePointer<esp_device_info>) {
    let memory = machineMemory
    let workers = Host.current.withLock { $0 }?.workers ?? 1
    info.pointee.device_class = ESP_DEVICE_CPU
    info.pointee.memory_bytes = memory.total
    info.pointee.memory_free_bytes = memory.free
    info.pointee.max_buffer_bytes = memory.total == 0 ? UInt64(Int.max) : memory.total
    info.pointee.alignment = alignment
    info.pointee.activation_dtypes = 1 << UInt32(ESP_DTYPE_F32)
    info.pointee.weight_dtypes =
      1 << UInt32(ESP_DTYPE_F32) | 1 << UInt32(ESP_DTYPE_F16) | 1 << UInt32(ESP_DTYPE_BF16)
    let name = "\(processorName ?? "CPU"), \(workers) \(workers == 1 ? "thread" : "threads")"
    withUnsafeMutableBytes(of: &info.pointee.name) { target in
      let utf8 = Array(name.utf8.prefix(target.count - 1)) + [0]
      target.copyBytes(from: utf8)
    }
  }

  /// The `model name` of /proc/cpuinfo.
  private static var processorName: String? { value(of: "model name", in: "/proc/cpuinfo") }

  /// The `MemAvailable` of /proc/meminfo in bytes: what can be had without swapping.
  private static var availableMemory: UInt64? {
    guard let text = value(of: "MemAvailable", in: "/proc/meminfo") else { return nil }
    let digits = text.prefix { $0.isNumber }
    guard let kibibytes = UInt64(digits) else { return nil }
    return kibibytes.multipliedReportingOverflow(by: 1024).partialValue
  }

  /// The text after the colon of the first line that starts with `key`.
  private static func value(of key: String, in path: String) -> String? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 512)
    while fgets(&line, Int32(line.count), file) != nil {
      let bytes = line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      let text = String(decoding: bytes, as: UTF8.self)
      guard text.hasPrefix(key), let colon = text.firstIndex(of: ":") else { continue }
      let tail = text[text.index(after: colon)...]
      let trimmed = tail.drop { $0.isWhitespace }
      return String(trimmed.prefix { !$0.isNewline })
    }
    return nil
  }
}
