/// A node's scratch, handed out piece by piece.
struct Scratch: Sendable {
  private(set) var byteCount: UInt64 = 0

  /// Room for this many f32.
  mutating func floats(_ count: Int) -> Region {
    let bytes = UInt64(count) * 4
    let region = Region(base: .workspace, offset: byteCount, byteCount: bytes)
    byteCount += (bytes + 255) / 256 * 256
    return region
  }
}
