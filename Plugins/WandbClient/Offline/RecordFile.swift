import EspalierPluginKit
import LogFiles

/// The container of a `.wandb` file: records cut into chunks that do not cross blocks of 32 KiB.
///
/// Source: LevelDB's log format, with W&B's head and the ordinary CRC-32.
struct RecordFile {
  private let file: AppendedFile

  /// ":W&B", 0xBEE1, version 0.
  private static let head: [UInt8] = [0x3A, 0x57, 0x26, 0x42, 0xE1, 0xBE, 0x00]
  private static let blockSize = 32768
  private static let chunkHead = 7

  /// Replaces a file, or makes a new one.
  init(_ folder: LogFolder, _ name: String) throws(PluginError) {
    folder.remove(name)
    file = try AppendedFile(folder, name)
    try file.append(Self.head)
  }

  func append(_ record: [UInt8]) throws(PluginError) {
    var bytes: [UInt8] = []
    var rest = record[...]
    var isFirst = true
    repeat {
      var left = Self.blockSize - (file.end + bytes.count) % Self.blockSize
      if left < Self.chunkHead {
        bytes += [UInt8](repeating: 0, count: left)
        left = Self.blockSize
      }
      let piece = rest.prefix(left - Self.chunkHead)
      rest = rest.dropFirst(piece.count)
      bytes += Self.chunk(piece, isFirst: isFirst, isLast: rest.isEmpty)
      isFirst = false
    } while !rest.isEmpty
    try file.append(bytes)
  }

  func sync() throws(PluginError) { try file.sync() }

  private static func chunk(
    _ piece: ArraySlice<UInt8>, isFirst: Bool, isLast: Bool
  ) -> [UInt8] {
    let kind: UInt8 =
      switch (isFirst, isLast) {
      case (true, true): 1
      case (true, false): 2
      case (false, false): 3
      case (false, true): 4
      }
    let content = [kind] + piece
    let sum = withUnsafeBytes(of: Checksum.crc32(content).littleEndian, Array.init)
    return sum + [UInt8(piece.count & 0xFF), UInt8(piece.count >> 8)] + content
  }
}
