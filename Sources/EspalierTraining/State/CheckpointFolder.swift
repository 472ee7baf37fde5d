import EspalierTensors
import Foundation

/// The training states of a run: folders `checkpoint-STEP` in the output folder.
///
/// A state is written beside its final name and renamed when it is complete, so at any moment, also after
/// `kill -9`, every `checkpoint-STEP` is whole. Only names of exactly this form are ever touched.
struct CheckpointFolder {
  let outputDir: String
  static let prefix = "checkpoint-"
  /// Ends the name of a folder that is being written.
  static let unfinished = ".unfinished"

  /// Steps of the complete states, oldest first.
  func steps() -> [Int] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: outputDir)) ?? []
    return entries.compactMap(Self.step)
      .filter { FileManager.default.fileExists(atPath: path($0) + "/" + TrainingState.fileName) }
      .sorted()
  }

  func path(_ step: Int) -> String { outputDir + "/" + Self.prefix + "\(step)" }

  /// Writes a new state, then removes the oldest ones beyond the limit.
  ///
  /// - Parameter write: Fills the folder that it is given.
  /// - Returns: The path of the new state.
  /// - Throws: What `write` throws, `FileError`; then no state is changed or removed.
  @discardableResult
  func save(step: Int, limit: Int?, write: (String) throws -> Void) throws -> String {
    let files = FileManager.default
    let (final, temporary) = (path(step), path(step) + Self.unfinished)
    try? files.removeItem(atPath: temporary)
    do {
      try makeFolder(temporary)
      try write(temporary)
      AtomicFile.syncFolder(of: temporary + "/.")
    } catch {
      try? files.removeItem(atPath: temporary)
      throw error
    }
    let replaced = final + ".replaced"
    if files.fileExists(atPath: final) {
      try? files.removeItem(atPath: replaced)
      try rename(final, replaced)
    }
    try rename(temporary, final)
    AtomicFile.syncFolder(of: final)
    try? files.removeItem(atPath: replaced)
    if let limit {
      for old in steps().filter({ $0 != step }).dropLast(limit - 1) {
        try? files.removeItem(atPath: path(old))
      }
    }
    return final
  }

  /// Removes what an interrupted save left behind.
  func removeUnfinished() {
    let files = FileManager.default
    let entries = (try? files.contentsOfDirectory(atPath: outputDir)) ?? []
    for entry in entries where entry.hasSuffix(Self.unfinished) {
      let name = String(entry.dropLast(Self.unfinished.count))
      if Self.step(name) != nil { try? files.removeItem(atPath: outputDir + "/" + entry) }
    }
  }

  /// The folder that `--resume_from_checkpoint` means: `latest`, a path, or a name in the output folder.
  ///
  /// - Returns: `nil` for `latest` if there is no state yet.
  /// - Throws: `TrainingError.checkpoint` if a named state is not there.
  func resolve(_ argument: String) throws(TrainingError) -> String? {
    if argument == "latest" { return steps().last.map(path) }
    for candidate in [argument, outputDir + "/" + argument]
    where FileManager.default.fileExists(atPath: candidate + "/" + TrainingState.fileName) {
      return candidate
    }
    let known = steps().map { Self.prefix + "\($0)" }.joined(separator: ", ")
    throw .checkpoint(
      path: argument,
      reason: "there is no \(TrainingState.fileName) in it; in \(outputDir) there is "
        + (known.isEmpty ? "no checkpoint" : known))
  }

  func makeFolder(_ path: String) throws(FileError) {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw FileError(path: path, operation: "create the folder", code: FileError.code(of: error))
    }
  }

  private func rename(_ from: String, _ to: String) throws(FileError) {
    guard Foundation.rename(from, to) == 0 else {
      throw FileError(path: to, operation: "rename into place", code: errno)
    }
  }

  /// The step in a name of exactly the form `checkpoint-STEP`.
  private static func step(_ name: String) -> Int? {
    guard name.hasPrefix(prefix) else { return nil }
    let digits = name.dropFirst(prefix.count)
    guard let step = Int(digits), step >= 0, String(step) == digits else { return nil }
    return step
  }
}
