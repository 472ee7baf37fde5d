import EspalierCheckpoints
import EspalierTensors
import Foundation
import Logging

/// Tensors kept on disk under the hash of what they were computed from.
///
/// A cache is a folder of safetensors packs, which are mapped, never rewritten, and may be deleted at any
/// time. A damaged pack is ignored with a warning.
final class ContentCache {
  private let folder: String
  private let name: String
  private var stored: [String: SafetensorsFile] = [:]
  private var pending: [String: HostTensor] = [:]
  private var pendingBytes = 0
  private static let packBytes = 64 << 20
  private static let logger = Logger(label: "espalier.cache")

  /// Opens or makes the folder.
  ///
  /// - Parameter name: What is cached; the packs' file names start with it.
  /// - Throws: `FileError` if the folder cannot be made.
  init(folder: String, name: String) throws {
    self.folder = folder
    self.name = name
    try Folder.make(folder)
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    for file in files.sorted() where file.hasPrefix(name + "-") && file.hasSuffix(".safetensors") {
      do {
        let pack = try SafetensorsFile(path: folder + "/" + file)
        for key in pack.names { stored[key] = pack }
      } catch {
        Self.logger.warning("ignoring a damaged cache file: \(error)")
      }
    }
  }

  func contains(_ key: String) -> Bool { stored[key] != nil || pending[key] != nil }

  /// The tensor under a key, `nil` if there is none: a copy, so that no more of a pack is in memory than is in use.
  func tensor(_ key: String) throws -> HostTensor? {
    if let known = pending[key] { return known }
    guard let mapped = try stored[key]?.tensor(key) else { return nil }
    defer { mapped.releasePages() }
    return mapped.reshaped(mapped.shape)
  }

  /// Adds a tensor; it is on disk after the next `flush`.
  func insert(_ key: String, _ tensor: HostTensor) throws {
    pending[key] = tensor
    pendingBytes += tensor.byteCount
    if pendingBytes >= Self.packBytes { try flush() }
  }

  /// Writes what was added as one pack.
  func flush() throws {
    guard !pending.isEmpty else { return }
    let path = folder + "/\(name)-\(UUID().uuidString).safetensors"
    let tensors = pending.sorted { $0.key < $1.key }.map { (name: $0.key, tensor: $0.value) }
    try SafetensorsWriter.write(tensors, to: path)
    let pack = try SafetensorsFile(path: path)
    for key in pack.names { stored[key] = pack }
    pending = [:]
    pendingBytes = 0
  }
}
