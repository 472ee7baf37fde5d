import ArgumentParser

/// A number of bytes on the command line, spelt as in Diffusers: `10GB`, `512MiB`, `4096`.
struct ByteSize: ExpressibleByArgument {
  let bytes: Int

  private static let units: [(name: String, bytes: Int)] = [
    ("gib", 1 << 30), ("mib", 1 << 20), ("kib", 1 << 10),
    ("gb", 1_000_000_000), ("mb", 1_000_000), ("kb", 1000), ("", 1),
  ]

  init(_ bytes: Int) { self.bytes = bytes }

  init?(argument: String) {
    let text = argument.lowercased()
    guard let unit = Self.units.first(where: { text.hasSuffix($0.name) }),
      let number = Double(text.dropLast(unit.name.count)),
      let bytes = Int(exactly: (number * Double(unit.bytes)).rounded()), bytes > 0
    else { return nil }
    self.bytes = bytes
  }

  var defaultValueDescription: String {
    guard let unit = Self.units.first(where: { bytes % $0.bytes == 0 }) else { return "\(bytes)" }
    return "\(bytes / unit.bytes)\(unit.name.uppercased())"
  }
}
