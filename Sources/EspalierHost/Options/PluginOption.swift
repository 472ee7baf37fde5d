public import EspalierText

/// An option that a plugin describes.
public struct PluginOption: Sendable, Equatable {
  /// How the text of an option is read.
  public enum Kind: String, Sendable, Codable {
    case string, bool, int, number, choice, json
  }

  /// As in a configuration: `use_karras_sigmas`.
  public let name: String
  public let kind: Kind
  /// The text of the value that it has if nobody sets it; nil: none.
  public let defaultValue: String?
  /// What a `choice` allows; else empty.
  public let choices: [String]
  /// One line for people.
  public let summary: String

  public init(
    name: String, kind: Kind, defaultValue: String?, choices: [String] = [], summary: String
  ) {
    self.name = name
    self.kind = kind
    self.defaultValue = defaultValue
    self.choices = choices
    self.summary = summary
  }

  /// What a value has to be, in words.
  public var allowed: String {
    switch kind {
    case .string: "any text"
    case .bool: "true or false"
    case .int: "a whole number"
    case .number: "a number"
    case .choice: "one of " + choices.joined(separator: ", ")
    case .json: "a JSON value"
    }
  }

  /// The value that a user's text means; nil if it is not allowed.
  public func value(ofText text: String) -> JSONValue? {
    switch kind {
    case .string: .string(text)
    case .bool: Bool(text).map { .bool($0) }
    case .int: Int(text).map { .number($0) }
    case .number: Double(text).flatMap { $0.isFinite ? .number($0) : nil }
    case .choice: choices.contains(text) ? .string(text) : nil
    case .json: try? JSONValue(parsing: text.utf8)
    }
  }
}
