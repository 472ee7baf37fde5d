package import EspalierPluginKit

extension JSONValue {
  /// A member of an object; nil for what is no object or has no such member.
  package subscript(_ key: String) -> JSONValue? {
    if case .object(let members) = self { members[key] } else { nil }
  }

  /// The members of an object, none of what is no object.
  package var members: [String: JSONValue] {
    if case .object(let members) = self { members } else { [:] }
  }

  /// The elements of a list, none of what is no list.
  package var elements: [JSONValue] {
    if case .array(let elements) = self { elements } else { [] }
  }

  package var string: String? { if case .string(let text) = self { text } else { nil } }

  package var double: Double? { if case .number(let number) = self { number } else { nil } }

  package var int: Int? { double.flatMap { Int(exactly: $0) } }

  /// The JSON inside a text: the server has objects encoded as strings.
  package var embedded: JSONValue? { string.flatMap { try? JSONValue(parsing: $0) } }
}
