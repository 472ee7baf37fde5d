import Foundation

/// The memory maps of this process.
public enum ProcessMaps {
  /// The lines of `/proc/self/smaps`.
  ///
  /// Read to its end: the file has no size by which Foundation's convenience would know where that is.
  public static func lines() throws -> [Substring] {
    let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/self/smaps"))
    return String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self).split(separator: "\n")
  }
}
