import Foundation

/// The memory of this process.
public enum ProcessMemory {
  /// The most that was resident at any time, in bytes; 0 where `/proc` does not tell.
  public static var peakByteCount: Int {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else {
      return 0
    }
    for line in status.split(separator: "\n") where line.hasPrefix("VmHWM:") {
      return
        (line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first
        .flatMap { Int($0) } ?? 0) * 1024
    }
    return 0
  }
}
