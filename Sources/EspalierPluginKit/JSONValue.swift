/// A value of a JSON text.
///
/// Source: RFC 8259, and the literals `NaN`, `Infinity` and `-Infinity` that Python's `json` writes.
public enum JSONValue: Sendable, Equatable, CustomStringConvertible {
  case null
  case bool(Bool)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  /// - Throws: `PluginError` naming the byte where the text stops being JSON.
  public init(parsing text: String) throws(PluginError) {
    var parser = JSONParser(bytes: Array(text.utf8))
    self = try parser.document()
  }

  /// The value as JSON, for messages.
  public var description: String {
    switch self {
    case .null, .bool, .number, .string: text
    case .array(let values): "[" + values.map(\.description).joined(separator: ", ") + "]"
    case .object(let values): "an object of \(values.count) keys"
    }
  }
}
