import CEspalierImageCodecs
import EspalierTensors

extension Image {
  /// Writes a PNG file atomically, with texts in the order of their keys.
  ///
  /// A text goes into a `tEXt` chunk if Latin-1 can hold it, else into `iTXt` (UTF-8).
  ///
  /// - Throws: `ImageError.unsuitableText`, `.tooLarge`, `.damaged`; `FileError` if the system
  /// refuses.
  public func writePNG(to path: String, text: [String: String] = [:]) throws {
    let bytes = try pngBytes(text: text, name: path)
    try AtomicFile.write(bytes, to: path)
  }

  /// The bytes of a PNG file; `name` stands for it in errors.
  ///
  /// - Throws: `ImageError.unsuitableText`, `.tooLarge`, `.damaged`.
  public func pngBytes(text: [String: String] = [:], name: String) throws(ImageError) -> [UInt8] {
    guard width > 0, height > 0, width <= Self.largestSide, height <= Self.largestSide else {
      throw .tooLarge(path: name, width: width, height: height)
    }
    let chunks = try TextChunks(text, name: name)
    var encoded = espalier_bytes()
    defer { espalier_bytes_free(&encoded) }
    let result = withSampleBytes { samples in
      chunks.withChunks { chunks in
        samples.baseAddress.map {
          espalier_png_encode(
            $0, UInt32(width), UInt32(height), UInt32(channels), UInt32(bitDepth),
            chunks.baseAddress, chunks.count, &encoded)
        }
      }
    }
    guard result == ESPALIER_IMAGE_OK else {
      let reason = withUnsafeBytes(of: encoded.message) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      throw .damaged(path: name, format: "PNG", reason: reason)
    }
    return [UInt8](UnsafeRawBufferPointer(start: encoded.data, count: encoded.count))
  }

  private func withSampleBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
    switch samples {
    case .bytes(let values): values.withUnsafeBytes(body)
    case .words(let values): values.withUnsafeBytes(body)
    }
  }
}

/// Keys and texts in the form that the encoder takes.
private struct TextChunks {
  /// Key and text of each chunk, each with a NUL behind.
  private var storage: [CChar] = []
  private var places: [(key: Int, value: Int, count: Int, utf8: Bool)] = []

  init(_ text: [String: String], name: String) throws(ImageError) {
    for (key, value) in text.sorted(by: { $0.key < $1.key }) {
      guard let keyBytes = key.printableLatin1, 1...79 ~= keyBytes.count, !key.contains("\n"),
        !key.hasPrefix(" "), !key.hasSuffix(" "), !key.contains("  ")
      else { throw .unsuitableText(path: name, key: key, reason: "a key that PNG forbids") }
      guard !value.unicodeScalars.contains("\0") else {
        throw .unsuitableText(path: name, key: key, reason: "a NUL in the text")
      }
      let latin1 = value.printableLatin1
      let bytes = latin1 ?? Array(value.utf8)
      places.append(
        (storage.count, storage.count + keyBytes.count + 1, bytes.count, latin1 == nil))
      storage += (keyBytes + [0] + bytes + [0]).map { CChar(bitPattern: $0) }
    }
  }

  func withChunks<R>(_ body: (UnsafeBufferPointer<espalier_png_text>) -> R) -> R {
    storage.withUnsafeBufferPointer { storage in
      guard let base = storage.baseAddress else {
        return body(UnsafeBufferPointer(start: nil, count: 0))
      }
      let chunks = places.map {
        espalier_png_text(
          key: base + $0.key, value: base + $0.value, value_bytes: $0.count, utf8: $0.utf8 ? 1 : 0)
      }
      return chunks.withUnsafeBufferPointer(body)
    }
  }
}
