/// The checksum of event files: CRC-32C, Castagnoli's polynomial, reflected.
///
/// Source: RFC 3720, appendix B.4; the mask is TFRecord's.
enum CRC32C {
  /// By byte and place: `tables[k][b]` advances the checksum of `b` by `k` more bytes.
  private static let tables: [[UInt32]] = {
    var tables = [
      (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1 == 0 ? 0 : 0x82F6_3B78) }
      }
    ]
    for place in 1..<8 {
      tables.append(tables[place - 1].map { $0 >> 8 ^ tables[0][Int($0 & 0xFF)] })
    }
    return tables
  }()

  /// Eight bytes at a time, as a picture's record takes a while otherwise.
  static func checksum(_ bytes: [UInt8]) -> UInt32 {
    let t = tables
    var crc = UInt32.max
    var index = 0
    while index + 8 <= bytes.count {
      let low =
        crc
        ^ (UInt32(bytes[index]) | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2]) << 16
          | UInt32(bytes[index + 3]) << 24)
      crc = t[7][Int(low & 0xFF)] ^ t[6][Int(low >> 8 & 0xFF)] ^ t[5][Int(low >> 16 & 0xFF)]
      crc ^= t[4][Int(low >> 24)] ^ t[3][Int(bytes[index + 4])] ^ t[2][Int(bytes[index + 5])]
      crc ^= t[1][Int(bytes[index + 6])] ^ t[0][Int(bytes[index + 7])]
      index += 8
    }
    while index < bytes.count {
      crc = crc >> 8 ^ t[0][Int((crc ^ UInt32(bytes[index])) & 0xFF)]
      index += 1
    }
    return ~crc
  }

  /// What stands in a file, so that checksums of data that hold checksums differ from them.
  static func masked(_ bytes: [UInt8]) -> UInt32 {
    let crc = checksum(bytes)
    return (crc >> 15 | crc << 17) &+ 0xA282_EAD8
  }
}
