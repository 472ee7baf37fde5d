import Glibc

/// A file mapped read-only into memory; unmapped when the last reference goes.
// SAFETY: the mapping is never written and lives until deinit.
public final class MappedFile: @unchecked Sendable {
  public let path: String
  public let bytes: UnsafeRawBufferPointer

  /// Maps the whole file.
  ///
  /// - Throws: `FileError` if it cannot be opened, is not a regular file, or cannot be mapped.
  public init(path: String) throws(FileError) {
    self.path = path
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw FileError(path: path, operation: "open", code: errno)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw FileError(path: path, operation: "examine", code: errno)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw FileError(path: path, operation: "map", code: EISDIR)
    }
    let size = Int(status.st_size)
    if size == 0 {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    let map = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0)
    guard let map, map != MAP_FAILED else {
      throw FileError(path: path, operation: "map", code: errno)
    }
    bytes = UnsafeRawBufferPointer(start: map, count: size)
  }

  /// Takes the pages of these bytes out of the process's memory; whoever reads them again gets them from the file.
  ///
  /// What a process has read of a mapped file counts as its memory until then.
  ///
  /// - Parameter range: In bytes; nil is the whole file.
  public func releasePages(_ range: Range<Int>? = nil) { advise(MADV_DONTNEED, range) }

  /// Has the system read these bytes from the disk meanwhile, if they are not in memory; returns at once.
  ///
  /// - Parameter range: In bytes; nil is the whole file.
  public func fetchPages(_ range: Range<Int>? = nil) { advise(MADV_WILLNEED, range) }

  /// Gives a hint: where the system does not take it, pages only stay or come later.
  private func advise(_ advice: Int32, _ range: Range<Int>?) {
    let range = (range ?? 0..<bytes.count).clamped(to: 0..<bytes.count)
    guard let start = bytes.baseAddress, !range.isEmpty else { return }
    let first = range.lowerBound / Self.pageByteCount * Self.pageByteCount
    madvise(UnsafeMutableRawPointer(mutating: start + first), range.upperBound - first, advice)
  }

  private static let pageByteCount = max(sysconf(Int32(_SC_PAGESIZE)), 1)

  deinit {
    if let start = bytes.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: start), bytes.count)
    }
  }
}
