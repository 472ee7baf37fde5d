import CEspalierImageCodecs
import EspalierTensors

extension Image {
  /// Decodes a PNG or JPEG file, upright as its EXIF orientation says; the content decides, not the
  /// name.
  ///
  /// PNG: 1 to 16 bits, gray, palette, RGB, alpha, interlaced; gamma and profiles are passed over.
  /// JPEG: gray and RGB; CMYK becomes RGB without a profile, as in Pillow.
  ///
  /// - Throws: `ImageError.file`, `.unknownFormat`, `.damaged`, `.tooLarge`, `.noMemory`.
  public init(contentsOf path: String) throws(ImageError) {
    let file: MappedFile
    do {
      file = try MappedFile(path: path)
    } catch {
      throw .file(error)
    }
    self = try withExtendedLifetime(file) { () throws(ImageError) in
      try Image(decoding: file.bytes, name: path)
    }
  }

  /// Decodes the bytes of a PNG or JPEG file; `name` stands for the file in errors.
  ///
  /// - Throws: as `init(contentsOf:)`.
  public init(decoding bytes: UnsafeRawBufferPointer, name: String) throws(ImageError) {
    let format = try ImageFormat(of: bytes, name: name)
    var decoded = espalier_image()
    defer { espalier_image_free(&decoded) }
    let limits = espalier_image_limits(
      side: UInt32(Self.largestSide), pixels: UInt64(Self.mostPixels))
    let data = bytes.bindMemory(to: UInt8.self)
    guard let start = data.baseAddress else {
      throw .unknownFormat(path: name, found: "an empty file")
    }
    let result =
      switch format {
      case .png: espalier_png_decode(start, data.count, limits, &decoded)
      case .jpeg: espalier_jpeg_decode(start, data.count, limits, &decoded)
      }
    try decoded.check(result, name: name, format: format)
    self = Image(decoded).oriented(decoded.orientation)
  }

  /// The text chunks of a PNG file (`tEXt`, `zTXt`, `iTXt`) by key; of equal keys the last counts.
  ///
  /// - Throws: as `init(contentsOf:)`; `.unknownFormat` for anything but PNG.
  public static func text(contentsOf path: String) throws(ImageError) -> [String: String] {
    let file: MappedFile
    do {
      file = try MappedFile(path: path)
    } catch {
      throw .file(error)
    }
    return try withExtendedLifetime(file) { () throws(ImageError) in
      try text(decoding: file.bytes, name: path)
    }
  }

  private static func text(
    decoding bytes: UnsafeRawBufferPointer, name: String
  ) throws(ImageError) -> [String: String] {
    let data = bytes.bindMemory(to: UInt8.self)
    guard try ImageFormat(of: bytes, name: name) == .png, let start = data.baseAddress else {
      throw .unknownFormat(path: name, found: "a JPEG file, which has no text chunks")
    }
    var decoded = espalier_image()
    defer { espalier_image_free(&decoded) }
    let limits = espalier_image_limits(
      side: UInt32(largestSide), pixels: UInt64(mostPixels))
    var texts: [String: String] = [:]
    let result = withUnsafeMutablePointer(to: &texts) { texts in
      espalier_png_read_text(
        start, data.count, limits, texts,
        { context, chunk in
          let chunk = chunk.pointee
          let value = UnsafeBufferPointer(start: chunk.value, count: chunk.value_bytes)
            .map { UInt8(bitPattern: $0) }
          let text =
            chunk.utf8 != 0 ? String(decoding: value, as: UTF8.self) : String(latin1: value)
          var length = 0
          while chunk.key[length] != 0 { length += 1 }
          let key = String(
            latin1: UnsafeBufferPointer(start: chunk.key, count: length)
              .map { UInt8(bitPattern: $0) })
          context.assumingMemoryBound(to: [String: String].self).pointee[key] = text
        }, &decoded)
    }
    try decoded.check(result, name: name, format: .png)
    return texts
  }

  private init(_ decoded: espalier_image) {
    let (width, height) = (Int(decoded.width), Int(decoded.height))
    let channels = Int(decoded.channels)
    let raw = UnsafeRawBufferPointer(start: decoded.samples, count: decoded.sample_bytes)
    if decoded.bit_depth == 16 {
      let words = [UInt16](unsafeUninitializedCapacity: raw.count / 2) { target, count in
        UnsafeMutableRawBufferPointer(target).copyMemory(from: raw)
        count = raw.count / 2
      }
      self.init(width: width, height: height, channels: channels, words: words)
    } else {
      self.init(width: width, height: height, channels: channels, bytes: [UInt8](raw))
    }
  }
}

extension espalier_image {
  fileprivate var orientation: Orientation {
    Orientation(exif: UnsafeRawBufferPointer(start: exif, count: exif_bytes))
  }

  fileprivate func check(
    _ result: Int32, name: String, format: ImageFormat
  ) throws(ImageError) {
    switch result {
    case ESPALIER_IMAGE_OK: break
    case ESPALIER_IMAGE_TOO_LARGE:
      throw .tooLarge(path: name, width: Int(width), height: Int(height))
    case ESPALIER_IMAGE_NO_MEMORY:
      throw .noMemory(path: name, width: Int(width), height: Int(height))
    default:
      let reason = withUnsafeBytes(of: message) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      throw .damaged(path: name, format: format.rawValue, reason: reason)
    }
  }
}
