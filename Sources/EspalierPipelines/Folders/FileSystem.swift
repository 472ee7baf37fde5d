import Glibc

/// Questions to the file system.
enum FileSystem {
  static func isFolder(_ path: String) -> Bool { kind(path) == S_IFDIR }

  static func isFile(_ path: String) -> Bool { kind(path) == S_IFREG }

  /// The path below a folder.
  static func join(_ folder: String, _ name: String) -> String {
    folder.hasSuffix("/") ? folder + name : folder + "/" + name
  }

  private static func kind(_ path: String) -> mode_t? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
  }
}
