import Glibc

/// Folders of a run: outputs, states, logs, caches.
public enum Folder {
  /// Makes a folder and those above it; one that is there already is fine.
  ///
  /// - Throws: `FileError` with the system's reason.
  public static func make(_ path: String) throws(FileError) {
    if mkdir(path, 0o777) == 0 { return }
    if errno == ENOENT && path.contains("/") {
      try make(parent(of: path))
      if mkdir(path, 0o777) == 0 { return }
    }
    let code = errno
    var status = stat()
    guard code == EEXIST, stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw FileError(path: path, operation: "create the folder", code: code)
    }
  }

  /// The folder that a file or folder is in: `.` for a name alone.
  public static func parent(of path: String) -> String {
    let path = trimmed(path)
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : trimmed(String(path[..<slash]))
  }

  /// The path without slashes at its end.
  public static func trimmed(_ path: String) -> String {
    var result = path[...]
    while result.count > 1 && result.hasSuffix("/") { result = result.dropLast() }
    return String(result)
  }
}
