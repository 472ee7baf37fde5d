/// JSON as text: compact, or as Diffusers writes configurations (sorted keys, two spaces, line feed
/// at the end).
public enum JSONWriter {
  public static func compact(_ value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .number(let text): text
    case .string(let text): quoted(text)
    case .array(let elements): "[" + elements.map(compact).joined(separator: ",") + "]"
    case .object(let members):
      "{" + members.map { quoted($0.key) + ":" + compact($0.value) }.joined(separator: ",") + "}"
    }
  }

  public static func indented(_ value: JSONValue, by spaces: Int = 0) -> String {
    let inner = String(repeating: " ", count: spaces + 2)
    let outer = String(repeating: " ", count: spaces)
    switch value {
    case .array(let elements) where !elements.isEmpty:
      let lines = elements.map { inner + indented($0, by: spaces + 2) }
      return "[\n" + lines.joined(separator: ",\n") + "\n" + outer + "]"
    case .object(let members) where !members.isEmpty:
      let lines = members.sorted { precedes($0.key, $1.key) }.map {
        inner + quoted($0.key) + ": " + indented($0.value, by: spaces + 2)
      }
      return "{\n" + lines.joined(separator: ",\n") + "\n" + outer + "}"
    default: return compact(value)
    }
  }

  /// Python's order of strings: by code point.
  static func precedes(_ a: String, _ b: String) -> Bool {
    a.unicodeScalars.lexicographicallyPrecedes(b.unicodeScalars)
  }

  /// The shortest decimal that reads back exactly, in Python's spelling.
  static func spelling(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
    return value.description
  }

  /// Control characters and what lies outside ASCII become escapes, as in Python's `json`.
  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case "\u{8}": result += "\\b"
      case "\u{c}": result += "\\f"
      case " "..."~": result.unicodeScalars.append(scalar)
      default: result += String(scalar).utf16.map(escape).joined()
      }
    }
    return result + "\""
  }

  private static func escape(_ unit: UInt16) -> String {
    let digits = String(unit, radix: 16)
    return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
  }
}
