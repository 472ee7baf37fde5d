/// An option of a plugin, or a key of a scheduler's configuration: declared once, described to the user
/// and read by the same value.
///
///     static let queueSize = PluginOption.int("queue_size", default: 16, in: 1...1024, "Rows that wait")
///     static let options: [any DescribedOption] = [queueSize]
///     …
///     let size = try run.options.value(of: Self.queueSize)
public struct PluginOption<Value: Sendable>: DescribedOption {
  public let description: OptionDescription
  /// What it is if nobody sets it.
  public let defaultValue: Value
  /// What a value has to be, for messages: `a whole number from 1 to 8`.
  let allowed: String
  /// Nil for a value that is not allowed.
  let read: @Sendable (JSONValue) -> Value?
  let write: @Sendable (Value) -> JSONValue

  init(
    _ kind: OptionDescription.Kind, _ name: String, _ summary: String, default fallback: Value,
    choices: [String] = [], allowed: String, read: @escaping @Sendable (JSONValue) -> Value?,
    write: @escaping @Sendable (Value) -> JSONValue
  ) {
    defaultValue = fallback
    self.allowed = allowed
    self.read = read
    self.write = write
    let text: String? =
      switch write(fallback) {
      case .null: nil
      case .string(let text): text
      case let value: value.text
      }
    description = OptionDescription(
      name: name, kind: kind, defaultText: text, choices: choices, summary: summary)
  }

  /// The same option without a default: nil if nobody sets it.
  var optional: PluginOption<Value?> {
    PluginOption<Value?>(
      description.kind, description.name, description.summary, default: nil,
      choices: description.choices, allowed: allowed,
      read: { [read] in read($0).map { .some($0) } },
      write: { [write] in $0.map(write) ?? .null })
  }

  /// This option set to a value, for `SchedulerAlias`.
  public func set(_ value: Value) -> OptionSetting {
    OptionSetting(name: description.name, value: write(value))
  }
}

/// An option with a value.
public struct OptionSetting: Sendable {
  let name: String
  let value: JSONValue
}

extension PluginOption where Value == Bool {
  public static func bool(_ name: String, default fallback: Bool, _ summary: String) -> Self {
    PluginOption(
      .bool, name, summary, default: fallback, allowed: "true or false",
      read: { if case .bool(let flag) = $0 { flag } else { nil } }, write: { .bool($0) })
  }
}

extension PluginOption where Value == Bool? {
  public static func bool(_ name: String, _ summary: String) -> Self {
    PluginOption<Bool>.bool(name, default: false, summary).optional
  }
}

extension PluginOption where Value == Int {
  public static func int(
    _ name: String, default fallback: Int, in range: ClosedRange<Int>, _ summary: String
  ) -> Self {
    PluginOption(
      .int, name, summary, default: fallback,
      allowed: "a whole number from \(range.lowerBound) to \(range.upperBound)",
      read: {
        guard case .number(let number) = $0, let whole = Int(exactly: number) else { return nil }
        return range.contains(whole) ? whole : nil
      }, write: { .number(Double($0)) })
  }
}

extension PluginOption where Value == Int? {
  public static func int(_ name: String, in range: ClosedRange<Int>, _ summary: String) -> Self {
    PluginOption<Int>.int(name, default: range.lowerBound, in: range, summary).optional
  }
}

extension PluginOption where Value == Double {
  /// - Parameters:
  ///   - accepts: Which numbers are allowed; may be asked about infinities and not-a-number.
  ///   - allowed: The same in words: `a number above 0`.
  public static func number(
    _ name: String, default fallback: Double, where accepts: @escaping @Sendable (Double) -> Bool,
    _ allowed: String, _ summary: String
  ) -> Self {
    PluginOption(
      .number, name, summary, default: fallback, allowed: allowed,
      read: {
        guard case .number(let number) = $0, accepts(number) else { return nil }
        return number
      }, write: { .number($0) })
  }
}

extension PluginOption where Value == Double? {
  /// See `number` with a default.
  public static func number(
    _ name: String, where accepts: @escaping @Sendable (Double) -> Bool, _ allowed: String,
    _ summary: String
  ) -> Self {
    PluginOption<Double>.number(name, default: 0, where: accepts, allowed, summary).optional
  }
}

extension PluginOption where Value == String {
  public static func string(_ name: String, default fallback: String, _ summary: String) -> Self {
    PluginOption(
      .string, name, summary, default: fallback, allowed: "a text",
      read: { if case .string(let text) = $0 { text } else { nil } }, write: { .string($0) })
  }
}

extension PluginOption where Value == String? {
  public static func string(_ name: String, _ summary: String) -> Self {
    PluginOption<String>.string(name, default: "", summary).optional
  }
}

extension PluginOption
where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
  /// One of the raw values of an enumeration.
  public static func choice(_ name: String, default fallback: Value, _ summary: String) -> Self {
    let choices = Value.allCases.map(\.rawValue)
    return PluginOption(
      .choice, name, summary, default: fallback, choices: choices,
      allowed: "one of " + choices.joined(separator: ", "),
      read: { if case .string(let text) = $0 { Value(rawValue: text) } else { nil } },
      write: { .string($0.rawValue) })
  }
}

extension PluginOption where Value == [Double]? {
  /// A list of numbers, as JSON.
  public static func numbers(_ name: String, _ summary: String) -> Self {
    PluginOption<[Double]>(
      .json, name, summary, default: [], allowed: "a list of numbers",
      read: {
        guard case .array(let elements) = $0 else { return nil }
        var numbers: [Double] = []
        for element in elements {
          guard case .number(let number) = element else { return nil }
          numbers.append(number)
        }
        return numbers
      }, write: { .array($0.map { .number($0) }) }
    ).optional
  }
}

extension PluginOption where Value == JSONValue? {
  /// Any JSON value; the plugin itself looks at what it is.
  public static func json(_ name: String, _ summary: String) -> Self {
    PluginOption<JSONValue>(
      .json, name, summary, default: .null, allowed: "a JSON value", read: { $0 }, write: { $0 }
    ).optional
  }
}
