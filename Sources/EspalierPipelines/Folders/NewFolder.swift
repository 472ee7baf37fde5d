import EspalierTensors
import Foundation

/// Writing folders so that they appear under their name only when they are complete.
enum NewFolder {
  /// Ends the name of a folder that is being written.
  static let unfinished = ".unfinished"

  /// Fills a folder beside `path` and then gives it the name.
  ///
  /// - Parameters:
  ///   - path: Must not exist, or be an empty folder; those above it are made.
  ///   - byteCount: What will be written, at most.
  ///   - fill: Is given the folder to fill.
  /// - Throws: `PipelineError.folderNotEmpty`, `.diskSpace`, `FileError`, and what `fill` throws; `path` is then
  ///   as it was.
  static func write(to path: String, byteCount: Int, _ fill: (String) throws -> Void) throws {
    let path = Folder.trimmed(path)
    try checkAbsent(path)
    let parent = Folder.parent(of: path)
    try Folder.make(parent)
    let available = try DiskSpace.available(in: parent)
    guard byteCount <= available else {
      throw PipelineError.diskSpace(folder: parent, needed: byteCount, available: available)
    }
    let temporary = path + unfinished
    // Left by a run that was killed.
    try? FileManager.default.removeItem(atPath: temporary)
    do {
      try Folder.make(temporary)
      try fill(temporary)
      AtomicFile.syncFolder(of: temporary + "/.")
      // Takes the place of an empty folder too.
      guard rename(temporary, path) == 0 else {
        throw FileError(path: path, operation: "rename into place", code: errno)
      }
    } catch {
      try? FileManager.default.removeItem(atPath: temporary)
      throw error
    }
    AtomicFile.syncFolder(of: path)
  }

  private static func checkAbsent(_ path: String) throws {
    guard FileManager.default.fileExists(atPath: path) else { return }
    guard FileSystem.isFolder(path) else {
      throw FileError(path: path, operation: "create the folder", code: EEXIST)
    }
    guard try FileManager.default.contentsOfDirectory(atPath: path).isEmpty else {
      throw PipelineError.folderNotEmpty(path: path)
    }
  }
}
