/// The file formats that are read, told apart by their first bytes.
enum ImageFormat: String {
  case png = "PNG"
  case jpeg = "JPEG"

  init(of bytes: UnsafeRawBufferPointer, name: String) throws(ImageError) {
    if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .png
    } else if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
      self = .jpeg
    } else {
      throw .unknownFormat(path: name, found: Self.guess(Array(bytes.prefix(16))))
    }
  }

  private static func guess(_ start: [UInt8]) -> String {
    if start.isEmpty { return "an empty file" }
    let text = String(decoding: start, as: Unicode.ASCII.self)
    if text.hasPrefix("GIF8") { return "a GIF file" }
    if text.hasPrefix("BM") { return "a BMP file" }
    if text.hasPrefix("RIFF") && text.dropFirst(8).hasPrefix("WEBP") { return "a WebP file" }
    if text.hasPrefix("II*") || text.hasPrefix("MM\0*") { return "a TIFF file" }
    if text.dropFirst(4).hasPrefix("ftyp") { return "a HEIF, AVIF or video file" }
    let digits = start.prefix(8).map { byte in
      let hexadecimal = String(byte, radix: 16)
      return hexadecimal.count == 1 ? "0" + hexadecimal : hexadecimal
    }
    return "a file that starts with the bytes " + digits.joined(separator: " ")
  }
}

extension String {
  /// Text from Latin-1 bytes.
  init(latin1 bytes: [UInt8]) {
    self.init()
    for byte in bytes { unicodeScalars.append(Unicode.Scalar(byte)) }
  }

  /// The text as Latin-1 bytes; nil if a character is outside Latin-1 or a control character other
  /// than line feed.
  var printableLatin1: [UInt8]? {
    var bytes: [UInt8] = []
    for scalar in unicodeScalars {
      guard scalar == "\n" || 0x20...0x7E ~= scalar.value || 0xA0...0xFF ~= scalar.value else {
        return nil
      }
      bytes.append(UInt8(scalar.value))
    }
    return bytes
  }
}
