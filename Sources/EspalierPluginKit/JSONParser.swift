/// Recursive descent over UTF-8 bytes; behind `JSONValue(parsing:)`.
struct JSONParser {
  private let bytes: [UInt8]
  private var position = 0
  /// Deeper nesting is refused, so that a hostile text cannot exhaust the stack.
  private static let maximumDepth = 64

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func document() throws(PluginError) -> JSONValue {
    let value = try value(depth: 0)
    skipSpace()
    guard position == bytes.count else { throw unexpected("the end") }
    return value
  }

  private mutating func value(depth: Int) throws(PluginError) -> JSONValue {
    guard depth < Self.maximumDepth else { throw unexpected("less than 64 levels of nesting") }
    skipSpace()
    switch peek {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t") where take("true"): return .bool(true)
    case UInt8(ascii: "f") where take("false"): return .bool(false)
    case UInt8(ascii: "n") where take("null"): return .null
    default: return try number()
    }
  }

  private mutating func object(depth: Int) throws(PluginError) -> JSONValue {
    var members: [String: JSONValue] = [:]
    position += 1
    skipSpace()
    if take("}") { return .object(members) }
    while true {
      skipSpace()
      guard peek == UInt8(ascii: "\"") else { throw unexpected("a key in quotes") }
      let key = try string()
      skipSpace()
      guard take(":") else { throw unexpected("':' after the key \"\(key)\"") }
      members[key] = try value(depth: depth + 1)
      skipSpace()
      if take(",") { continue }
      guard take("}") else { throw unexpected("',' or '}'") }
      return .object(members)
    }
  }

  private mutating func array(depth: Int) throws(PluginError) -> JSONValue {
    var elements: [JSONValue] = []
    position += 1
    skipSpace()
    if take("]") { return .array(elements) }
    while true {
      elements.append(try value(depth: depth + 1))
      skipSpace()
      if take(",") { continue }
      guard take("]") else { throw unexpected("',' or ']'") }
      return .array(elements)
    }
  }

  private mutating func string() throws(PluginError) -> String {
    var units: [UInt8] = []
    position += 1
    while let byte = peek {
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: units, as: UTF8.self)
      case UInt8(ascii: "\\"): try appendEscape(to: &units)
      case 0..<0x20: throw unexpected("no control character in a string")
      default: units.append(byte)
      }
    }
    throw unexpected("the closing quote of a string")
  }

  private mutating func appendEscape(to units: inout [UInt8]) throws(PluginError) {
    guard let letter = peek else { throw unexpected("an escaped character") }
    position += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): units.append(letter)
    case UInt8(ascii: "b"): units.append(8)
    case UInt8(ascii: "f"): units.append(12)
    case UInt8(ascii: "n"): units.append(10)
    case UInt8(ascii: "r"): units.append(13)
    case UInt8(ascii: "t"): units.append(9)
    case UInt8(ascii: "u"):
      let first = try codeUnit()
      var pair = [first]
      if (0xD800..<0xDC00).contains(first), take("\\u") { pair.append(try codeUnit()) }
      units.append(contentsOf: String(decoding: pair, as: UTF16.self).utf8)
    default: throw unexpected("one of \" \\ / b f n r t u after a backslash")
    }
  }

  private mutating func codeUnit() throws(PluginError) -> UInt16 {
    let end = position + 4
    guard end <= bytes.count,
      let unit = UInt16(String(decoding: bytes[position..<end], as: UTF8.self), radix: 16)
    else { throw unexpected("four hexadecimal digits") }
    position = end
    return unit
  }

  private mutating func number() throws(PluginError) -> JSONValue {
    if take("NaN") { return .number(.nan) }
    if take("Infinity") { return .number(.infinity) }
    if take("-Infinity") { return .number(-.infinity) }
    let start = position
    while let byte = peek, Self.numberBytes.contains(byte) { position += 1 }
    guard position > start,
      let value = Double(String(decoding: bytes[start..<position], as: UTF8.self))
    else {
      position = start
      throw unexpected("a value")
    }
    return .number(value)
  }

  private static let numberBytes = Set("0123456789+-.eE".utf8)

  private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func take(_ literal: StaticString) -> Bool {
    let end = position + literal.utf8CodeUnitCount
    guard end <= bytes.count else { return false }
    let matches = literal.withUTF8Buffer { $0.elementsEqual(bytes[position..<end]) }
    if matches { position = end }
    return matches
  }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || (0x09...0x0D).contains(byte) { position += 1 }
  }

  private func unexpected(_ expected: String) -> PluginError {
    let found =
      position < bytes.count
      ? "'\(String(decoding: bytes[position..<min(position + 12, bytes.count)], as: UTF8.self))'"
      : "the end"
    return .invalidArgument("not JSON: expected \(expected) at byte \(position), found \(found)")
  }
}
