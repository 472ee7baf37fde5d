import Glibc

/// A file that by its name holds a plugin: `libespalier-KIND-NAME.so`.
public struct PluginFile: Sendable, Hashable {
  public let path: String
  public let kind: PluginKind
  public let name: String

  /// Reads kind and name from the last component of `path`; nil if it does not have that form.
  ///
  /// NAME is made of letters, digits, `_`, `.` and `-`.
  public init?(path: String) {
    let file = path.split(separator: "/").last.map(String.init) ?? path
    guard file.hasPrefix(Self.prefix), file.hasSuffix(Self.suffix) else { return nil }
    let middle = file.dropFirst(Self.prefix.count).dropLast(Self.suffix.count)
    guard let dash = middle.firstIndex(of: "-"),
      let kind = PluginKind(rawValue: String(middle[..<dash]))
    else { return nil }
    let name = middle[middle.index(after: dash)...]
    guard !name.isEmpty, name.allSatisfy(Self.isAllowed) else { return nil }
    self.path = path
    self.kind = kind
    self.name = String(name)
  }

  private static let prefix = "libespalier-"
  private static let suffix = ".so"

  private static func isAllowed(_ character: Character) -> Bool {
    character.isASCII && (character.isLetter || character.isNumber || "_.-".contains(character))
  }

  /// The plugins of a folder sorted by file name, or nil if the folder cannot be read.
  static func all(in folder: String) -> [PluginFile]? {
    guard let directory = opendir(folder) else { return nil }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
        tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      names.append(name)
    }
    return names.sorted().compactMap { PluginFile(path: folder + "/" + $0) }
  }
}

/// The absolute path without links, or nil if there is no such file.
func realPath(_ path: String) -> String? {
  guard let resolved = realpath(path, nil) else { return nil }
  defer { free(resolved) }
  return String(cString: resolved)
}
