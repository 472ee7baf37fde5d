import EspalierABI
public import EspalierPluginKit
import Glibc

/// The folder of a run in which a logger keeps its files; names are relative to it.
public struct LogFolder: Sendable {
  public let path: String
  /// Who writes, for messages: `csv logger`.
  let owner: String

  /// - Throws: `PluginError` if the folder is missing or cannot be written.
  public init(_ path: String, owner: String) throws(PluginError) {
    (self.path, self.owner) = (path, owner)
    guard access(path, W_OK) == 0 else { throw failure("write in", path) }
  }

  /// Opens a folder inside, and makes it if it is missing.
  public func folder(_ name: String) throws(PluginError) -> LogFolder {
    let inner = file(name)
    guard mkdir(inner, 0o755) == 0 || errno == EEXIST else { throw failure("make", inner) }
    // What is there under this name may be a file.
    guard access(inner + "/.", W_OK) == 0 else { throw failure("write in", inner) }
    return try LogFolder(inner, owner: owner)
  }

  /// The full path of a file.
  public func file(_ name: String) -> String { path + "/" + name }

  public func contains(_ name: String) -> Bool { access(file(name), F_OK) == 0 }

  /// The names of all that lies in the folder, sorted by their bytes.
  public func names() throws(PluginError) -> [String] {
    guard let stream = opendir(path) else { throw failure("list", path) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Renames what an earlier run left, each of `names`, by one number that is free for all of them:
  /// `metrics.csv` becomes `metrics.1.csv`, a name without a dot `name.1`.
  ///
  /// - Returns: The number, nil if there was nothing.
  @discardableResult
  public func moveAside(
    _ names: [String], numbered: (_ name: String, _ number: Int) -> String = Self.numbered
  ) throws(PluginError) -> Int? {
    guard names.contains(where: contains) else { return nil }
    var number = 1
    while names.contains(where: { contains(numbered($0, number)) }) { number += 1 }
    for name in names where contains(name) {
      guard rename(file(name), file(numbered(name, number))) == 0 else {
        throw failure("rename", file(name))
      }
    }
    return number
  }

  /// `metrics.csv` and 2 give `metrics.2.csv`.
  public static func numbered(_ name: String, _ number: Int) -> String {
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else {
      return "\(name).\(number)"
    }
    return "\(name[..<dot]).\(number)\(name[dot...])"
  }

  /// All bytes of a file, nil if there is none.
  public func read(_ name: String) throws(PluginError) -> [UInt8]? {
    let input = open(file(name), O_RDONLY | O_CLOEXEC)
    if input < 0 && errno == ENOENT { return nil }
    guard input >= 0 else { throw failure("open", file(name)) }
    defer { close(input) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      let count = Glibc.read(input, &chunk, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw failure("read", file(name)) }
      if count == 0 { return bytes }
      bytes += chunk[..<count]
    }
  }

  /// Writes a file beside itself and renames it into place, so that a reader sees the old or the new
  /// content.
  ///
  /// - Parameter survivesPowerCut: True to wait until the disk has it.
  public func replace(
    _ name: String, with bytes: [UInt8], survivesPowerCut: Bool = false
  ) throws(PluginError) {
    let file = try AppendedFile(replacing: self, name)
    try file.append(bytes)
    try file.moveIntoPlace(survivesPowerCut: survivesPowerCut)
  }

  /// Removes a file if it is there.
  public func remove(_ name: String) { unlink(file(name)) }

  /// The error for what the system has just refused.
  func failure(_ operation: String, _ path: String) -> PluginError {
    let code = errno
    return PluginError(
      ESP_IO, "\(owner): cannot \(operation) \(path): \(String(cString: strerror(code)))",
      nativeCode: code)
  }
}
