import CXXHash
public import EspalierTensors

/// XXH3-128 of some content: a key for caches, equal content giving an equal key on every machine.
///
/// It guards against accidents, not against forgery.
public struct ContentHash: Hashable, Sendable, CustomStringConvertible {
  public let high: UInt64
  public let low: UInt64

  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// The hash of the plain bytes, as `xxh128sum` prints it.
  public init(bytes: UnsafeRawBufferPointer) {
    let hash = XXH3_128bits(bytes.baseAddress, bytes.count)
    self.init(high: hash.high64, low: hash.low64)
  }

  /// The hash of the text in UTF-8.
  public init(_ text: String) {
    self = Array(text.utf8).withUnsafeBytes { ContentHash(bytes: $0) }
  }

  /// The hash of type, shape and elements.
  public init(_ tensor: HostTensor) {
    let hasher = ContentHasher()
    hasher.combine(tensor)
    self = hasher.finish()
  }

  /// The hash of a file's bytes.
  ///
  /// - Throws: `FileError` if the file cannot be read.
  public init(contentsOf path: String) throws(FileError) {
    let file = try MappedFile(path: path)
    let hasher = ContentHasher()
    for start in stride(from: 0, to: file.bytes.count, by: Self.pieceByteCount) {
      let piece = start..<min(start + Self.pieceByteCount, file.bytes.count)
      hasher.update(UnsafeRawBufferPointer(rebasing: file.bytes[piece]))
      file.releasePages(piece)
    }
    self = hasher.finish()
  }

  /// Of a file, in memory at a time.
  private static let pieceByteCount = 64 << 20

  /// 32 hexadecimal digits.
  public var description: String { Self.digits(high) + Self.digits(low) }

  private static func digits(_ value: UInt64) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: 16 - text.count) + text
  }
}

/// Builds a `ContentHash` piece by piece; for one task at a time.
public final class ContentHasher {
  private let state: OpaquePointer

  public init() {
    guard let state = XXH3_createState() else { preconditionFailure("out of memory") }
    self.state = state
    XXH3_128bits_reset(state)
  }

  deinit { XXH3_freeState(state) }

  /// Adds plain bytes; how they are cut into pieces does not matter.
  public func update(_ bytes: UnsafeRawBufferPointer) {
    XXH3_128bits_update(state, bytes.baseAddress, bytes.count)
  }

  /// Adds a number.
  public func combine(_ value: Int) {
    withUnsafeBytes(of: Int64(value).littleEndian) { update($0) }
  }

  /// Adds text with its length, so that "a", "bc" and "ab", "c" differ.
  public func combine(_ text: String) {
    let bytes = Array(text.utf8)
    combine(bytes.count)
    bytes.withUnsafeBytes { update($0) }
  }

  /// Adds type, shape and elements.
  public func combine(_ tensor: HostTensor) {
    combine(tensor.dtype.rawValue)
    combine(tensor.shape.rank)
    for size in tensor.shape.dims { combine(size) }
    tensor.withUnsafeBytes { update($0) }
  }

  /// The hash of everything so far.
  public func finish() -> ContentHash {
    let hash = XXH3_128bits_digest(state)
    return ContentHash(high: hash.high64, low: hash.low64)
  }
}
