public import EspalierPluginKit
import Glibc

/// A file that grows at its end. What is appended is handed to the system at once, so that a crash of the
/// program loses nothing of it.
public final class AppendedFile {
  private let folder: LogFolder
  private let name: String
  /// The name until `moveIntoPlace`, if it differs.
  private var temporary: String?
  private let descriptor: Int32
  /// Its size in bytes.
  public private(set) var end: Int

  /// Opens a file, or makes an empty one.
  public init(_ folder: LogFolder, _ name: String) throws(PluginError) {
    (self.folder, self.name) = (folder, name)
    descriptor = open(folder.file(name), O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    end = descriptor < 0 ? -1 : Int(lseek(descriptor, 0, SEEK_END))
    guard end >= 0 else { throw folder.failure("open", folder.file(name)) }
  }

  /// Makes an empty file beside the one called `name`, whose place it takes with `moveIntoPlace`.
  public init(replacing folder: LogFolder, _ name: String) throws(PluginError) {
    (self.folder, self.name) = (folder, name)
    let temporary = "\(name).tmp-\(getpid())"
    self.temporary = temporary
    descriptor = open(folder.file(temporary), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    end = 0
    guard descriptor >= 0 else { throw folder.failure("create", folder.file(temporary)) }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
    if let temporary { unlink(folder.file(temporary)) }
  }

  public func append(_ bytes: [UInt8]) throws(PluginError) {
    try write(bytes, at: end)
    end += bytes.count
  }

  /// Overwrites all from `offset` on.
  public func replace(from offset: Int, with bytes: [UInt8]) throws(PluginError) {
    try write(bytes, at: offset)
    try cut(to: offset + bytes.count)
  }

  /// Drops all from `offset` on.
  public func cut(to offset: Int) throws(PluginError) {
    guard ftruncate(descriptor, off_t(offset)) == 0 else {
      throw folder.failure("shorten", folder.file(name))
    }
    end = offset
  }

  /// Brings everything to the disk.
  public func sync() throws(PluginError) {
    guard fsync(descriptor) == 0 else { throw folder.failure("write", folder.file(name)) }
  }

  /// Takes the place of the file that this one replaces, and goes on under its name.
  ///
  /// - Parameter survivesPowerCut: True to wait until the disk has it.
  public func moveIntoPlace(survivesPowerCut: Bool) throws(PluginError) {
    guard let temporary else { return }
    if survivesPowerCut { try sync() }
    guard rename(folder.file(temporary), folder.file(name)) == 0 else {
      throw folder.failure("rename into", folder.file(name))
    }
    self.temporary = nil
  }

  private func write(_ bytes: [UInt8], at offset: Int) throws(PluginError) {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { bytes in
        pwrite(
          descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, off_t(offset + done))
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw folder.failure("write", folder.file(temporary ?? name)) }
      done += count
    }
  }
}
