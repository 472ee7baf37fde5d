import EspalierABI

/// What a user is told about an option.
public struct OptionDescription: Sendable, Equatable {
  /// How the text of an option is read; the values are those of the header.
  public enum Kind: Int32, Sendable {
    case string = 0
    case bool, int, number, choice, json
  }

  /// As in a configuration: `use_karras_sigmas`.
  public let name: String
  public let kind: Kind
  /// The text of the value that it has if nobody sets it; nil: none.
  public let defaultText: String?
  /// What a `choice` allows; else empty.
  public let choices: [String]
  /// One line for people.
  public let summary: String

  /// The value that a text of the command line means; nil if it is not of this kind.
  func value(ofText text: String) -> JSONValue? {
    switch kind {
    case .string, .choice: .string(text)
    case .bool: Bool(text).map { .bool($0) }
    case .int: Int(text).map { .number(Double($0)) }
    case .number: Double(text).map { .number($0) }
    case .json: try? JSONValue(parsing: text)
    }
  }
}

/// An option of any type, as `Plugin.options` lists it.
public protocol DescribedOption: Sendable {
  var description: OptionDescription { get }
}

/// Descriptions as the boundary hands them out; their memory is never freed.
struct OptionTable: @unchecked Sendable {
  // SAFETY: written once in `init`, then only read, and never freed.
  let list: UnsafePointer<esp_option_description_ref>?
  let count: Int

  init(_ options: [any DescribedOption]) {
    count = options.count
    guard !options.isEmpty else {
      list = nil
      return
    }
    let references = UnsafeMutablePointer<esp_option_description_ref>.allocate(capacity: count)
    for (index, option) in options.enumerated() {
      let description = option.description
      let choices = description.choices
      let entry = UnsafeMutablePointer<esp_option_description>.allocate(capacity: 1)
      entry.initialize(
        to: esp_option_description(
          struct_size: UInt32(MemoryLayout<esp_option_description>.size),
          type: description.kind.rawValue, name: processLifetimeCString(description.name),
          summary: processLifetimeCString(description.summary),
          default_value: description.defaultText.map(processLifetimeCString),
          choices: choices.isEmpty ? nil : processLifetimeCString(choices.joined(separator: ","))))
      (references + index).initialize(to: UnsafePointer(entry))
    }
    list = UnsafePointer(references)
  }
}
