import EspalierABI
import EspalierPluginKit
import Glibc
import LogFiles

/// The images of a run that wait to be uploaded: files below `files` of its folder, each removed when the
/// server has it.
struct MediaFolder {
  private let folder: LogFolder
  /// By path relative to `files`, in order.
  private(set) var waiting: [(name: String, byteCount: Int)] = []
  private(set) var byteCount = 0

  static let root = "files"
  static let images = "media/images"

  /// Finds what an earlier session left.
  init(_ run: LogFolder) throws(PluginError) {
    folder = try run.folder(Self.root)
    try collect(folder, prefix: "")
  }

  /// Keeps a file.
  mutating func add(_ name: String, _ bytes: [UInt8]) throws(PluginError) {
    var inner = folder
    let parts = name.split(separator: "/").map(String.init)
    for part in parts.dropLast() { inner = try inner.folder(part) }
    try inner.replace(parts.last ?? name, with: bytes)
    remove(from: name)
    waiting.append((name, bytes.count))
    byteCount += bytes.count
  }

  /// The bytes of a file; nil if it is no longer there.
  func read(_ name: String) throws(PluginError) -> [UInt8]? { try folder.read(name) }

  /// Removes a file that the server has.
  mutating func remove(_ name: String) {
    remove(from: name)
    folder.remove(name)
  }

  private mutating func remove(from name: String) {
    guard let index = waiting.firstIndex(where: { $0.name == name }) else { return }
    byteCount -= waiting.remove(at: index).byteCount
  }

  private mutating func collect(_ inner: LogFolder, prefix: String) throws(PluginError) {
    for name in try inner.names() {
      var facts = stat()
      guard lstat(inner.file(name), &facts) == 0 else { continue }
      if facts.st_mode & S_IFMT == S_IFDIR {
        try collect(try inner.folder(name), prefix: prefix + name + "/")
      } else if facts.st_mode & S_IFMT == S_IFREG {
        // What a crash left beside its name is no image.
        guard !name.contains(".tmp-") else {
          inner.remove(name)
          continue
        }
        waiting.append((prefix + name, Int(facts.st_size)))
        byteCount += Int(facts.st_size)
      }
    }
  }
}
