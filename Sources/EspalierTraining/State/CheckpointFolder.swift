import EspalierTensors
import Foundation

/// The training states of a run: folders `checkpoint-STEP` in the output folder.
///
/// A state is written beside its final name and renamed when it is complete, so at any moment, also after
/// `kill -9`, every `checkpoint-STEP` is whole. Only names of exactly this form are ever touched.
package struct CheckpointFolder {
  package let outputDir: String
  static let prefix = "checkpoint-"
  /// Ends the name of a folder that is being written or removed.
  static let unfinished = ".unfinished"
  /// Ends the name of a state while a newer one of the same step takes its name.
  static let replaced = ".replaced"

  package init(outputDir: String) { self.outputDir = outputDir }

  /// Steps of the complete states, oldest first.
  package func steps() -> [Int] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: outputDir)) ?? []
    return entries.compactMap(Self.step)
      .filter { FileManager.default.fileExists(atPath: path($0) + "/" + TrainingState.fileName) }
      .sorted()
  }

  package func path(_ step: Int) -> String { outputDir + "/" + Self.prefix + "\(step)" }

  /// Writes a new state, then removes the oldest ones beyond the limit.
  ///
  /// - Parameter write: Fills the folder that it is given.
  /// - Returns: The path of the new state.
  /// - Throws: What `write` throws, `FileError`; then no state is changed or removed.
  @discardableResult
  package func save(
    step: Int, limit: Int?, write: (String) throws -> Void
  ) throws -> String {
    let files = FileManager.default
    let (final, temporary) = (path(step), path(step) + Self.unfinished)
    try? files.removeItem(atPath: temporary)
    do {
      try Folder.make(temporary)
      try write(temporary)
      AtomicFile.syncFolder(of: temporary + "/.")
    } catch {
      try? files.removeItem(atPath: temporary)
      throw error
    }
    let replaced = final + Self.replaced
    if files.fileExists(atPath: final) {
      try? files.removeItem(atPath: replaced)
      try rename(final, replaced)
    }
    try rename(temporary, final)
    AtomicFile.syncFolder(of: final)
    try? files.removeItem(atPath: replaced)
    if let limit {
      for old in steps().filter({ $0 != step }).dropLast(limit - 1) { remove(old) }
    }
    return final
  }

  /// Takes the name away first, so that a removal that is cut off leaves no part of a state under it.
  private func remove(_ step: Int) {
    let doomed = path(step) + Self.unfinished
    try? FileManager.default.removeItem(atPath: doomed)
    if Foundation.rename(path(step), doomed) == 0 {
      try? FileManager.default.removeItem(atPath: doomed)
    }
  }

  /// Removes what an interrupted save left behind, and gives a state its name back that had been moved
  /// aside for a newer one.
  package func removeUnfinished() {
    let files = FileManager.default
    let entries = (try? files.contentsOfDirectory(atPath: outputDir)) ?? []
    for entry in entries {
      let path = outputDir + "/" + entry
      if Self.step(entry, before: Self.unfinished) != nil { try? files.removeItem(atPath: path) }
      guard let step = Self.step(entry, before: Self.replaced) else { continue }
      if files.fileExists(atPath: self.path(step)) {
        try? files.removeItem(atPath: path)
      } else {
        try? files.moveItem(atPath: path, toPath: self.path(step))
      }
    }
  }

  /// The folder that `--resume_from_checkpoint` means: `latest`, a path, or a name in the output folder.
  ///
  /// - Returns: `nil` for `latest` if there is no state yet.
  /// - Throws: `TrainingError.checkpoint` if a named state is not there.
  package func resolve(_ argument: String) throws(TrainingError) -> String? {
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

  private func rename(_ from: String, _ to: String) throws(FileError) {
    guard Foundation.rename(from, to) == 0 else {
      throw FileError(path: to, operation: "rename into place", code: errno)
    }
  }

  /// The step in a name of exactly the form `checkpoint-STEP` with an ending.
  private static func step(_ name: String, before ending: String) -> Int? {
    name.hasSuffix(ending) ? step(String(name.dropLast(ending.count))) : nil
  }

  /// The step in a name of exactly the form `checkpoint-STEP`.
  private static func step(_ name: String) -> Int? {
    guard name.hasPrefix(prefix) else { return nil }
    let digits = name.dropFirst(prefix.count)
    guard let step = Int(digits), step >= 0, String(step) == digits else { return nil }
    return step
  }
}
