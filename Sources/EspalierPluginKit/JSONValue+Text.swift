extension JSONValue {
  /// The value as JSON in one line; keys are sorted, numbers that are not finite as Python writes them.
  public var text: String {
    switch self {
    case .null: return "null"
    case .bool(let value): return "\(value)"
    case .number(let value):
      if let whole = Int(exactly: value) { return "\(whole)" }
      if value.isNaN { return "NaN" }
      return value.isFinite ? "\(value)" : value < 0 ? "-Infinity" : "Infinity"
    case .string(let value): return Self.quoted(value)
    case .array(let values): return "[" + values.map(\.text).joined(separator: ", ") + "]"
    case .object(let values):
      let members = values.sorted { $0.key < $1.key }
        .map { Self.quoted($0.key) + ": " + $0.value.text }
      return "{" + members.joined(separator: ", ") + "}"
    }
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
