import Foundation

/// The memory of this process.
public enum ProcessMemory {
  /// The most that was resident at any time, pages of mapped files too, in bytes; 0 where `/proc` does not tell.
  public static var peakByteCount: Int { status("VmHWM:") }

  /// What is resident now; 0 where `/proc` does not tell.
  public static var residentByteCount: Int { status("VmRSS:") }

  private static func status(_ key: String) -> Int {
    SystemMemory.kibibytes(
      key, in: try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? 0
  }
}
