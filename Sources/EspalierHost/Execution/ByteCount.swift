/// A number of bytes as people read it: `512 MiB`, `1.4 GiB`.
public struct ByteCount: CustomStringConvertible, Sendable, Equatable {
  public let bytes: Int

  public init(_ bytes: Int) { self.bytes = bytes }

  public var description: String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
    var value = Double(bytes)
    var unit = 0
    while value >= 1024 && unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    let tenths = Int((value * 10).rounded())
    return unit == 0 || tenths >= 1000
      ? "\((tenths + 5) / 10) \(units[unit])" : "\(tenths / 10).\(tenths % 10) \(units[unit])"
  }
}

extension ByteCount {
  private static let units: [(name: String, bytes: Int)] = [
    ("gib", 1 << 30), ("mib", 1 << 20), ("kib", 1 << 10),
    ("gb", 1_000_000_000), ("mb", 1_000_000), ("kb", 1000), ("", 1),
  ]

  /// As people write it, above 0: `10GB`, `512MiB`, `4096`.
  public init?(parsing text: String) {
    let text = text.lowercased()
    guard let unit = Self.units.first(where: { text.hasSuffix($0.name) }),
      let number = Double(text.dropLast(unit.name.count)),
      let bytes = Int(exactly: (number * Double(unit.bytes)).rounded()), bytes > 0
    else { return nil }
    self.bytes = bytes
  }

  /// So that `init(parsing:)` gives the same number: `10GB`.
  public var exactDescription: String {
    guard let unit = Self.units.first(where: { bytes % $0.bytes == 0 }) else { return "\(bytes)" }
    return "\(bytes / unit.bytes)\(unit.name.uppercased())"
  }
}
