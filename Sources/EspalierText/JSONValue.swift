/// A JSON value with its keys in file order and its numbers as they were written.
///
/// Unlike Foundation's reader it refuses duplicate keys and takes `NaN`, `Infinity` and
/// `-Infinity`, which Python writes into scheduler configurations.
public enum JSONValue: Sendable, Hashable {
  case null
  case bool(Bool)
  /// The number as its text, so that writing it again changes nothing.
  case number(String)
  case string(String)
  case array([JSONValue])
  case object([JSONMember])

  /// Reads one value from UTF-8 text.
  ///
  /// - Throws: `JSONSyntaxError` with the byte offset of the fault.
  public init(parsing text: some Sequence<UInt8>) throws(JSONSyntaxError) {
    var parser = JSONParser(bytes: Array(text))
    self = try parser.document()
  }

  /// A number; whole numbers are written without a fraction only if they come from an `Int`.
  public static func number(_ value: Int) -> JSONValue { .number(String(value)) }

  /// A number in the spelling of Python's `json`: `1e-05`, `0.5`, `Infinity`.
  public static func number(_ value: Double) -> JSONValue { .number(JSONWriter.spelling(value)) }

  /// The member of an object; nil if there is none or this is not an object.
  public subscript(key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }

  /// The element of an array; nil if there is none or this is not an array.
  public subscript(index: Int) -> JSONValue? {
    guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
    return elements[index]
  }

  /// The value as a whole number; `1.0` counts as one.
  public var int: Int? {
    guard case .number(let text) = self else { return nil }
    return Int(text) ?? Double(text).flatMap { Int(exactly: $0) }
  }

  public var double: Double? {
    guard case .number(let text) = self else { return nil }
    switch text {
    case "NaN": return .nan
    case "Infinity": return .infinity
    case "-Infinity": return -.infinity
    default: return Double(text)
    }
  }

  public var string: String? {
    if case .string(let text) = self { text } else { nil }
  }

  public var bool: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  public var array: [JSONValue]? {
    if case .array(let elements) = self { elements } else { nil }
  }

  public var members: [JSONMember]? {
    if case .object(let members) = self { members } else { nil }
  }

  /// The elements of an array of whole numbers; nil if one is something else.
  public var ints: [Int]? { all { $0.int } }

  /// The elements of an array of numbers; nil if one is something else.
  public var doubles: [Double]? { all { $0.double } }

  /// The elements of an array of strings; nil if one is something else.
  public var strings: [String]? { all { $0.string } }

  private func all<T>(_ convert: (JSONValue) -> T?) -> [T]? {
    guard case .array(let elements) = self else { return nil }
    let values = elements.compactMap(convert)
    return values.count == elements.count ? values : nil
  }

  public var isNull: Bool { self == .null }

  /// The kind of value in words, for error messages.
  public var kind: String {
    switch self {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .number(let text): text
    case .string(let text): "\"\(text)\""
    case .array(let elements): "an array of \(elements.count)"
    case .object(let members): "an object of \(members.count) keys"
    }
  }
}

/// A key of a JSON object and its value.
public struct JSONMember: Sendable, Hashable {
  public let key: String
  public let value: JSONValue

  public init(key: String, value: JSONValue) {
    self.key = key
    self.value = value
  }
}
