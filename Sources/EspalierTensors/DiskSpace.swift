import Glibc

/// How much can be written to a file system.
public enum DiskSpace {
  /// Bytes that this user may still write below an existing folder.
  ///
  /// - Throws: `FileError` if the system does not tell.
  public static func available(in folder: String) throws(FileError) -> Int {
    var status = statvfs()
    guard statvfs(folder, &status) == 0 else {
      throw FileError(path: folder, operation: "examine", code: errno)
    }
    let (bytes, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(
      by: UInt64(status.f_frsize))
    return overflow ? .max : Int(clamping: bytes)
  }
}
