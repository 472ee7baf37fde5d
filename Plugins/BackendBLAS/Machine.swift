import Glibc

/// What the system says about the machine.
enum Machine {
  /// In all; 0 unknown.
  static var memoryBytes: UInt64 {
    let pages = max(0, sysconf(Int32(_SC_PHYS_PAGES)))
    let pageBytes = max(0, sysconf(Int32(_SC_PAGESIZE)))
    return UInt64(pages) &* UInt64(pageBytes)
  }

  /// The `MemAvailable` of /proc/meminfo: what can be had without swapping.
  static var availableMemoryBytes: UInt64? {
    guard let text = value(of: "MemAvailable", in: "/proc/meminfo") else { return nil }
    let digits = text.prefix { $0.isNumber }
    guard let kibibytes = UInt64(digits) else { return nil }
    return kibibytes.multipliedReportingOverflow(by: 1024).partialValue
  }

  /// The `model name` of /proc/cpuinfo.
  static var processorName: String? { value(of: "model name", in: "/proc/cpuinfo") }

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
