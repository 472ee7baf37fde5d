/// A number of bytes as people read it: `512 bytes`, `32 MiB`, `1.4 GiB`.
public struct ByteCount: CustomStringConvertible, Sendable, Equatable {
  public let bytes: UInt64

  public init(_ bytes: UInt64) { self.bytes = bytes }

  public var description: String {
    let units = ["KiB", "MiB", "GiB", "TiB"]
    guard bytes >= 1 << 10 else { return "\(bytes) bytes" }
    let unit = min((63 - bytes.leadingZeroBitCount) / 10, units.count)
    let shift = UInt64(10 * unit)
    let (whole, rest) = (bytes >> shift, bytes & (1 << shift - 1))
    let tenth = (rest >> (shift - 10)) * 10 >> 10
    return tenth == 0 || whole >= 100
      ? "\(whole) \(units[unit - 1])" : "\(whole).\(tenth) \(units[unit - 1])"
  }
}
