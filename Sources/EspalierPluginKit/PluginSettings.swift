/// The settings of a JSON object, read by key; messages name the key, what was found and what is allowed.
///
/// A key that is absent or null has its default; keys that nobody reads are ignored. What a user may set
/// is best declared as a `PluginOption` and read by `value(of:)`; the other functions read a key that is
/// described nowhere.
public struct PluginSettings: Sendable {
  private let values: [String: JSONValue]
  /// What the settings belong to, for messages: `EulerDiscreteScheduler`, …
  private let owner: String

  /// - Throws: `PluginError` for a text that is not a JSON object.
  public init(json: String, owner: String) throws(PluginError) {
    guard case .object(let values) = try JSONValue(parsing: json) else {
      throw .invalidArgument("\(owner): the configuration must be a JSON object")
    }
    self.init(values: values, owner: owner)
  }

  init(values: [String: JSONValue], owner: String) {
    self.values = values
    self.owner = owner
  }

  /// The value of an option, or its default.
  ///
  /// - Throws: `PluginError` for a value that the option does not allow.
  public func value<Value>(of option: PluginOption<Value>) throws(PluginError) -> Value {
    let key = option.description.name
    guard let found = present(key) else { return option.defaultValue }
    guard let value = option.read(found) else { throw refuse(key, found, option.allowed) }
    return value
  }

  public func int(
    _ key: String, default fallback: Int, in allowed: ClosedRange<Int>
  ) throws(PluginError) -> Int {
    try value(of: .int(key, default: fallback, in: allowed, ""))
  }

  /// A whole number or nil.
  public func optionalInt(
    _ key: String, in allowed: ClosedRange<Int>
  ) throws(PluginError) -> Int? {
    try value(of: .int(key, in: allowed, ""))
  }

  public func double(
    _ key: String, default fallback: Double, where accepts: @escaping @Sendable (Double) -> Bool,
    _ allowed: String
  ) throws(PluginError) -> Double {
    try value(of: .number(key, default: fallback, where: accepts, allowed, ""))
  }

  /// A number or nil.
  public func optionalDouble(
    _ key: String, where accepts: @escaping @Sendable (Double) -> Bool, _ allowed: String
  ) throws(PluginError) -> Double? {
    try value(of: .number(key, where: accepts, allowed, ""))
  }

  public func bool(_ key: String, default fallback: Bool) throws(PluginError) -> Bool {
    try value(of: .bool(key, default: fallback, ""))
  }

  public func string(_ key: String, default fallback: String? = nil) throws(PluginError) -> String {
    if let text = try optionalString(key) ?? fallback { return text }
    throw .invalidArgument("\(owner): the setting \(key) is missing")
  }

  /// A text or nil.
  public func optionalString(_ key: String) throws(PluginError) -> String? {
    try value(of: .string(key, ""))
  }

  /// One of the raw values of an enumeration.
  public func choice<Choice: RawRepresentable & CaseIterable & Sendable>(
    _ key: String, default fallback: Choice
  ) throws(PluginError) -> Choice where Choice.RawValue == String {
    try value(of: .choice(key, default: fallback, ""))
  }

  /// A list of numbers or nil.
  public func optionalDoubles(_ key: String) throws(PluginError) -> [Double]? {
    try value(of: .numbers(key, ""))
  }

  /// The settings of an object inside; empty where it is absent.
  ///
  /// - Parameter owner: What they belong to, for messages.
  public func object(_ key: String, owner: String) throws(PluginError) -> PluginSettings {
    guard let value = present(key) else { return PluginSettings(values: [:], owner: owner) }
    guard case .object(let values) = value else { throw refuse(key, value, "an object") }
    return PluginSettings(values: values, owner: owner)
  }

  /// The error for a value that the caller itself found wrong.
  public func refuse(_ key: String, _ found: some CustomStringConvertible, _ allowed: String)
    -> PluginError
  {
    .invalidArgument("\(owner): \(key) is \(found); allowed: \(allowed)")
  }

  /// The settings with these keys alone, for an owner to whom the others mean nothing.
  public func only(_ keys: Set<String>) -> PluginSettings {
    PluginSettings(values: values.filter { keys.contains($0.key) }, owner: owner)
  }

  /// All of them as a JSON value, for a plugin that passes them on.
  public var json: JSONValue { .object(values) }

  private func present(_ key: String) -> JSONValue? {
    values[key].flatMap { $0 == .null ? nil : $0 }
  }
}
