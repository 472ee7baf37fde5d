public import EspalierTensors

/// A safetensors file, mapped into memory; its tensors are views that keep the mapping alive.
///
/// The header is checked as the reference implementation does: a file that opens has tensors that
/// lie inside it, side by side, without overlaps or holes. Source:
/// https://github.com/huggingface/safetensors, section "Format".
public final class SafetensorsFile: Sendable {
  public let path: String
  public let entries: [String: TensorEntry]
  /// The tensors' names in the order of the header.
  public let names: [String]
  /// The strings under `__metadata__`.
  public let metadata: [String: String]
  private let file: MappedFile

  /// Opens the file and checks its header.
  ///
  /// - Throws: `CheckpointError.file` if the system refuses, `.damaged` for anything wrong inside.
  public init(path: String) throws(CheckpointError) {
    do {
      file = try MappedFile(path: path)
    } catch {
      throw .file(error)
    }
    self.path = path
    let header = try SafetensorsHeader(path: path, bytes: file.bytes)
    names = header.names
    entries = header.entries
    metadata = header.metadata
  }

  /// The tensor without a copy; copied only if a foreign writer has put it at an odd address.
  ///
  /// - Throws: `CheckpointError.missingTensor`, `.unsupportedDType`.
  public func tensor(_ name: String) throws(CheckpointError) -> HostTensor {
    guard let entry = entries[name] else {
      throw .missingTensor(path: path, tensor: name, near: NearestNames.of(name, among: names))
    }
    return try tensor(name, at: entry)
  }

  /// A tensor, or a part of it; see `tensor(_:)`.
  ///
  /// - Parameter entry: Lies inside the file.
  func tensor(_ name: String, at entry: TensorEntry) throws(CheckpointError) -> HostTensor {
    guard let dtype = entry.dtype else {
      throw .unsupportedDType(path: path, tensor: name, dtype: entry.dtypeName)
    }
    let start = entry.byteRange.lowerBound
    if start % dtype.byteCount == 0 {
      return HostTensor(mapping: file, offset: start, dtype: dtype, shape: entry.shape)
    }
    let copy = HostTensor(dtype: dtype, shape: entry.shape)
    copy.withUnsafeMutableBytes { target in
      target.copyMemory(from: UnsafeRawBufferPointer(rebasing: file.bytes[entry.byteRange]))
    }
    return copy
  }

  /// Calls `body` with the bytes of a tensor or of a part of it, of whatever type.
  func withUnsafeBytes<R>(of entry: TensorEntry, _ body: (UnsafeRawBufferPointer) -> R) -> R {
    withExtendedLifetime(file) {
      body(UnsafeRawBufferPointer(rebasing: file.bytes[entry.byteRange]))
    }
  }
}
