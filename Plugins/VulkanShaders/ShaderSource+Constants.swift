package import EspalierPluginKit

extension ShaderSource {
  /// True for a shader whose speed depends on unrolled loops: its file has the line `//! unrolled`.
  ///
  /// SwiftShader unrolls loops before it knows the specialisation constants that bound them, so that such a
  /// shader would run a twentieth as fast there: it gets its constants by `text(of:constants:)`.
  package static func isUnrolled(_ name: String) -> Bool {
    files["\(name).comp"]?.split(separator: "\n").contains("//! unrolled") ?? false
  }

  /// A shader's text with values in the place of its specialisation constants.
  ///
  /// - Parameter constants: Values of the constants 0, 1, 2, …; others keep their default.
  package static func text(
    of variant: ShaderVariant, constants: [UInt32]
  ) throws(PluginError) -> String {
    try text(of: variant).split(separator: "\n", omittingEmptySubsequences: false)
      .map { fixed($0, constants) }.joined(separator: "\n")
  }

  /// A line with values, if it declares constants or the workgroup's size by them.
  private static func fixed(_ line: Substring, _ constants: [UInt32]) -> String {
    guard line.hasPrefix("layout(") else { return String(line) }
    let constant = /^layout\(constant_id = (\d+)\) const (\w+) (\w+) = ([^;]+);/
    let size = /local_size_([xyz])_id = (\d+)/
    func value(_ id: Substring) -> UInt32? {
      Int(id).flatMap { constants.indices.contains($0) ? constants[$0] : nil }
    }
    if let match = line.firstMatch(of: constant) {
      let text = value(match.1).map { literal($0, type: match.2) } ?? String(match.4)
      return "const \(match.2) \(match.3) = \(text);" + line[match.range.upperBound...]
    }
    return String(line).replacing(size) { match in
      "local_size_\(match.1) = \(value(match.2) ?? 1)"
    }
  }

  private static func literal(_ bits: UInt32, type: Substring) -> String {
    switch type {
    case "bool": bits == 0 ? "false" : "true"
    case "int": "\(Int32(bitPattern: bits))"
    case "float": "uintBitsToFloat(\(bits)u)"
    default: "\(bits)u"
    }
  }
}
