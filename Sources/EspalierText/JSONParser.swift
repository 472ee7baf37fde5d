/// A fault in JSON text.
public struct JSONSyntaxError: Error, Hashable, CustomStringConvertible {
  /// Where, in bytes from the start of the text.
  public let offset: Int
  public let expected: String
  public let found: String

  public init(offset: Int, expected: String, found: String) {
    self.offset = offset
    self.expected = expected
    self.found = found
  }

  public var description: String { "byte \(offset): expected \(expected), found \(found)" }
}

/// A recursive-descent reader of RFC 8259, with Python's three extra numbers.
struct JSONParser {
  private static let deepest = 128
  private let bytes: [UInt8]
  private var position = 0
  private var depth = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func document() throws(JSONSyntaxError) -> JSONValue {
    let value = try value()
    skipSpace()
    guard position == bytes.count else { throw fault("the end of the text") }
    return value
  }

  private mutating func value() throws(JSONSyntaxError) -> JSONValue {
    skipSpace()
    guard position < bytes.count else { throw fault("a value") }
    switch bytes[position] {
    case UInt8(ascii: "{"):
      return try nested { (parser) throws(JSONSyntaxError) in try parser.object() }
    case UInt8(ascii: "["):
      return try nested { (parser) throws(JSONSyntaxError) in try parser.array() }
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t") where take("true"): return .bool(true)
    case UInt8(ascii: "f") where take("false"): return .bool(false)
    case UInt8(ascii: "n") where take("null"): return .null
    case UInt8(ascii: "N") where take("NaN"): return .number("NaN")
    case UInt8(ascii: "I") where take("Infinity"): return .number("Infinity")
    case UInt8(ascii: "-") where take("-Infinity"): return .number("-Infinity")
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
    default: throw fault("a value")
    }
  }

  private mutating func nested(
    _ body: (inout JSONParser) throws(JSONSyntaxError) -> JSONValue
  ) throws(JSONSyntaxError) -> JSONValue {
    guard depth < Self.deepest else { throw fault("at most \(Self.deepest) levels of nesting") }
    depth += 1
    position += 1
    let value = try body(&self)
    depth -= 1
    return value
  }

  private mutating func object() throws(JSONSyntaxError) -> JSONValue {
    var members: [JSONMember] = []
    var keys: Set<String> = []
    skipSpace()
    if take("}") { return .object([]) }
    while true {
      skipSpace()
      let start = position
      let key = try string()
      guard keys.insert(key).inserted else {
        throw JSONSyntaxError(
          offset: start, expected: "a new key", found: "\"\(key)\" a second time")
      }
      skipSpace()
      guard take(":") else { throw fault("':'") }
      members.append(JSONMember(key: key, value: try value()))
      skipSpace()
      if take(",") { continue }
      guard take("}") else { throw fault("',' or '}'") }
      return .object(members)
    }
  }

  private mutating func array() throws(JSONSyntaxError) -> JSONValue {
    var elements: [JSONValue] = []
    skipSpace()
    if take("]") { return .array([]) }
    while true {
      elements.append(try value())
      skipSpace()
      if take(",") { continue }
      guard take("]") else { throw fault("',' or ']'") }
      return .array(elements)
    }
  }

  private mutating func number() throws(JSONSyntaxError) -> String {
    let start = position
    _ = take("-")
    if !take("0") { try digits() }
    if take(".") { try digits() }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      try digits()
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private mutating func digits() throws(JSONSyntaxError) {
    let start = position
    while position < bytes.count, UInt8(ascii: "0")...UInt8(ascii: "9") ~= bytes[position] {
      position += 1
    }
    if position == start { throw fault("a digit") }
  }

  private mutating func string() throws(JSONSyntaxError) -> String {
    guard take("\"") else { throw fault("a string") }
    let start = position
    var unescaped: [UInt8] = []
    var run = start
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        unescaped += bytes[run..<position]
        position += 1
        guard let text = String(validating: unescaped, as: UTF8.self) else {
          throw JSONSyntaxError(offset: start, expected: "text in UTF-8", found: "other bytes")
        }
        return text
      case UInt8(ascii: "\\"):
        unescaped += bytes[run..<position]
        position += 1
        unescaped += Array(String(try escape()).utf8)
        run = position
      case 0..<0x20: throw fault("a string without control characters")
      default: position += 1
      }
    }
    throw fault("'\"'")
  }

  /// The character after a backslash.
  private mutating func escape() throws(JSONSyntaxError) -> Unicode.Scalar {
    let plain: [(String, Unicode.Scalar)] = [
      ("\"", "\""), ("\\", "\\"), ("/", "/"), ("b", "\u{8}"), ("f", "\u{c}"), ("n", "\n"),
      ("r", "\r"), ("t", "\t"),
    ]
    for (letter, scalar) in plain where take(letter) { return scalar }
    guard take("u") else { throw fault("an escape that JSON knows") }
    let first = try hexadecimal()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard first < 0xDC00, take("\\u") else { throw fault("the second half of a surrogate pair") }
    let second = try hexadecimal()
    guard 0xDC00..<0xE000 ~= second,
      let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
    else { throw fault("the second half of a surrogate pair") }
    return scalar
  }

  private mutating func hexadecimal() throws(JSONSyntaxError) -> UInt32 {
    let digits = bytes[position...].prefix(4)
    guard digits.count == 4,
      digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw fault("four hexadecimal digits") }
    position += 4
    return value
  }

  private mutating func take(_ literal: String) -> Bool {
    guard bytes[position...].starts(with: literal.utf8) else { return false }
    position += literal.utf8.count
    return true
  }

  private mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[position]) {
      position += 1
    }
  }

  private func fault(_ expected: String) -> JSONSyntaxError {
    guard position < bytes.count else {
      return JSONSyntaxError(offset: position, expected: expected, found: "the end of the text")
    }
    let byte = bytes[position]
    let found =
      0x20..<0x7F ~= byte ? "'\(Character(Unicode.Scalar(byte)))'" : "byte \(byte)"
    return JSONSyntaxError(offset: position, expected: expected, found: found)
  }
}
