import EspalierPluginKit
import Glibc

/// Lines of the console with the time in front, as the server wants them: `2026-11-22T22:54:28.205873 text`,
/// in UTC; those of standard error begin with `ERROR `.
enum ConsoleLine {
  static let errorMark = "ERROR "
  /// Characters of the time.
  static let stampLength = 26

  private static let longest = 16384

  /// Carriage returns and line feeds become spaces; what is too long is cut.
  static func text(_ stream: ConsoleStream, _ line: String) -> String {
    let flat = String(line.prefix(longest).map { $0.isNewline ? " " : $0 })
    return (stream == .error ? errorMark : "") + stamp() + " " + flat
  }

  /// Seconds since 1970 of a line, which begins with its time; nil for what is no time.
  static func time(of line: some StringProtocol) -> Double? {
    let stamp = line.prefix(stampLength)
    // Year, month, day, hour, minute, second, microsecond.
    let numbers = stamp.split(whereSeparator: { "-T:.".contains($0) }).compactMap { Int32($0) }
    guard stamp.utf8.count == stampLength, numbers.count == 7 else { return nil }
    var parts = tm()
    parts.tm_year = numbers[0] - 1900
    parts.tm_mon = numbers[1] - 1
    parts.tm_mday = numbers[2]
    parts.tm_hour = numbers[3]
    parts.tm_min = numbers[4]
    parts.tm_sec = numbers[5]
    return Double(timegm(&parts)) + Double(numbers[6]) / 1e6
  }

  /// The time now.
  private static func stamp() -> String {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    var parts = tm()
    gmtime_r(&now.tv_sec, &parts)
    return padded(parts.tm_year + 1900, 4) + "-" + padded(parts.tm_mon + 1, 2) + "-"
      + padded(parts.tm_mday, 2) + "T" + padded(parts.tm_hour, 2) + ":" + padded(parts.tm_min, 2)
      + ":" + padded(parts.tm_sec, 2) + "." + padded(Int32(now.tv_nsec / 1000), 6)
  }

  private static func padded(_ number: Int32, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
