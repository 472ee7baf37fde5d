import CEspalierRuntime
import Glibc

/// Writing files so that a reader sees the old or the new content and never a part of it.
public enum AtomicFile {
  /// Writes the chunks that `produce` hands to its argument into a temporary file beside `path`, syncs
  /// it and renames it to `path`. On an error the temporary file is removed and `path` is untouched.
  ///
  /// - Throws: `FileError` for what the system refuses (no space, no permission); `produce`'s errors.
  public static func write(
    to path: String, produce: (_ write: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) throws {
    let temporary = path + ".tmp-\(getpid())"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw FileError(path: temporary, operation: "create", code: errno)
    }
    do {
      do {
        defer { close(descriptor) }
        var position = 0
        try produce { chunk in
          try writeAll(chunk, to: descriptor, path: path)
          // The disk begins at once, instead of when all is there.
          espalier_start_writing(descriptor, Int64(position), Int64(chunk.count))
          position += chunk.count
        }
        guard fsync(descriptor) == 0 else {
          throw FileError(path: path, operation: "write", code: errno)
        }
      }
      guard rename(temporary, path) == 0 else {
        throw FileError(path: path, operation: "rename into place", code: errno)
      }
    } catch {
      unlink(temporary)
      throw error
    }
    syncFolder(of: path)
  }

  /// Writes the bytes as `write(to:produce:)` does.
  public static func write(_ bytes: [UInt8], to path: String) throws {
    try write(to: path) { write in try bytes.withUnsafeBytes { try write($0) } }
  }

  /// Writes the text in UTF-8 as `write(to:produce:)` does.
  public static func write(_ text: String, to path: String) throws {
    try write(Array(text.utf8), to: path)
  }

  /// Makes a rename inside the folder of `path` survive a power cut; best effort.
  public static func syncFolder(of path: String) {
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    let descriptor = open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if descriptor >= 0 {
      fsync(descriptor)
      close(descriptor)
    }
  }

  private static func writeAll(
    _ chunk: UnsafeRawBufferPointer, to descriptor: Int32, path: String
  ) throws(FileError) {
    var done = 0
    while done < chunk.count {
      let written = Glibc.write(descriptor, chunk.baseAddress.map { $0 + done }, chunk.count - done)
      if written < 0 {
        if errno == EINTR { continue }
        throw FileError(path: path, operation: "write", code: errno)
      }
      done += written
    }
  }
}
