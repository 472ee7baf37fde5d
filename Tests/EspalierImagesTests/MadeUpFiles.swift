/// PNG files put together chunk by chunk, with stored (uncompressed) image data.
struct MadeUpPNG {
  var width = 1
  var height = 1
  var bitDepth: UInt8 = 8
  /// 0 gray, 2 RGB, 3 palette, 4 gray and alpha, 6 RGB and alpha.
  var colorType: UInt8 = 0
  var interlaced = false
  /// Rows with their filter byte in front.
  var data: [UInt8] = []
  /// Chunks before and after the image data.
  var before: [(String, [UInt8])] = []
  var after: [(String, [UInt8])] = []

  var bytes: [UInt8] {
    let header =
      bigEndian(UInt32(width)) + bigEndian(UInt32(height))
      + [bitDepth, colorType, 0, 0, interlaced ? 1 : 0]
    let count = UInt16(data.count)
    let stored =
      [
        0x78, 0x01, 0x01, UInt8(count & 255), UInt8(count >> 8), UInt8(~count & 255),
        UInt8(~count >> 8),
      ]
      + data + bigEndian(adler32(data))
    let chunks = [("IHDR", header)] + before + [("IDAT", stored)] + after + [("IEND", [])]
    return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + chunks.flatMap(chunk)
  }

  private func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
    let body = Array(name.utf8) + content
    return bigEndian(UInt32(content.count)) + body + bigEndian(crc32(body))
  }
}

/// An 8×8 baseline JPEG of one colour: each component's constant value, as stored.
func madeUpJPEG(_ values: [Int], adobeTransform: UInt8? = nil, exif: [UInt8]? = nil) -> [UInt8] {
  func segment(_ marker: UInt8, _ content: [UInt8]) -> [UInt8] {
    [0xFF, marker, UInt8((content.count + 2) >> 8), UInt8((content.count + 2) & 255)] + content
  }
  let ids = values.indices.map { UInt8($0 + 1) }
  var bytes: [UInt8] = [0xFF, 0xD8]
  if let exif { bytes += segment(0xE1, Array("Exif\0\0".utf8) + exif) }
  if let adobeTransform {
    bytes += segment(0xEE, Array("Adobe".utf8) + [0, 100, 0, 0, 0, 0, adobeTransform])
  }
  bytes += segment(0xDB, [0] + [UInt8](repeating: 8, count: 64))
  bytes += segment(0xC0, [8, 0, 8, 0, 8, UInt8(values.count)] + ids.flatMap { [$0, 0x11, 0] })
  // Differences of 0 to 11 bits have codes of four bits; the only other code is "end of block", one
  // bit.
  bytes += segment(0xC4, [0x00, 0, 0, 0, 12] + [UInt8](repeating: 0, count: 12) + Array(0..<12))
  bytes += segment(0xC4, [0x10, 1] + [UInt8](repeating: 0, count: 15) + [0])
  bytes += segment(0xDA, [UInt8(values.count)] + ids.flatMap { [$0, 0] } + [0, 63, 0])
  var bits = ""
  for value in values {
    let difference = value - 128
    let size = Int.bitWidth - abs(difference).leadingZeroBitCount
    bits += binary(size, 4)
    if size > 0 { bits += binary(difference > 0 ? difference : difference + (1 << size) - 1, size) }
    bits += "0"
  }
  while bits.count % 8 != 0 { bits += "1" }
  for start in stride(from: 0, to: bits.count, by: 8) {
    let byte = UInt8(bits.dropFirst(start).prefix(8), radix: 2) ?? 0
    bytes += byte == 255 ? [255, 0] : [byte]
  }
  return bytes + [0xFF, 0xD9]
}

/// An EXIF block (TIFF structure) with an orientation among other tags.
func madeUpEXIF(orientation: UInt16, littleEndian: Bool) -> [UInt8] {
  func number(_ value: UInt32, _ count: Int) -> [UInt8] {
    let bytes = Array(bigEndian(value).suffix(count))
    return littleEndian ? bytes.reversed() : bytes
  }
  func entry(_ tag: UInt32, _ value: UInt32) -> [UInt8] {
    number(tag, 2) + number(3, 2) + number(1, 4) + number(value, 2) + [0, 0]
  }
  return (littleEndian ? [0x49, 0x49] : [0x4D, 0x4D]) + number(42, 2) + number(8, 4) + number(2, 2)
    + entry(0x0100, 7) + entry(0x0112, UInt32(orientation)) + number(0, 4)
}

func bigEndian(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian, Array.init) }

private func binary(_ value: Int, _ count: Int) -> String {
  let digits = String(value, radix: 2)
  return String(repeating: "0", count: count - digits.count) + digits
}

private func adler32(_ bytes: [UInt8]) -> UInt32 {
  var (a, b): (UInt32, UInt32) = (1, 0)
  for byte in bytes {
    a = (a + UInt32(byte)) % 65521
    b = (b + a) % 65521
  }
  return b << 16 | a
}

private func crc32(_ bytes: [UInt8]) -> UInt32 {
  var crc: UInt32 = .max
  for byte in bytes {
    crc ^= UInt32(byte)
    for _ in 0..<8 { crc = crc & 1 != 0 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
  }
  return ~crc
}
