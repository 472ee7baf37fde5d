import EspalierTensors
import Foundation

/// Folders of a run: outputs, states, logs, caches.
enum Folder {
  /// Makes a folder and those above it; one that is there already is fine.
  ///
  /// - Throws: `FileError` with the system's reason.
  static func make(_ path: String) throws(FileError) {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw FileError(path: path, operation: "create the folder", code: FileError.code(of: error))
    }
  }
}
