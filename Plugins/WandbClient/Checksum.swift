import CWandbClient

enum Checksum {
  /// CRC-32 as in PNG and Ethernet.
  static func crc32(_ bytes: [UInt8]) -> UInt32 {
    bytes.withUnsafeBufferPointer { $0.baseAddress.map { espalier_crc32($0, bytes.count) } ?? 0 }
  }
}
