/// The settings of a JSON object, read by key; messages name the key, what was found and what is allowed.
///
/// A key that is absent or null has its default; keys that nobody reads are ignored.
public struct PluginSettings: Sendable {
  private let values: [String: JSONValue]
  /// What the settings belong to, for messages: `EulerDiscreteScheduler`, …
  private let owner: String

  /// - Throws: `PluginError` for a text that is not a JSON object.
  public init(json: String, owner: String) throws(PluginError) {
    guard case .object(let values) = try JSONValue(parsing: json) else {
      throw .invalidArgument("\(owner): the configuration must be a JSON object")
    }
    self.values = values
    self.owner = owner
  }

  public func int(
    _ key: String, default fallback: Int, in allowed: ClosedRange<Int>
  ) throws(PluginError) -> Int {
    guard let value = present(key) else { return fallback }
    guard case .number(let number) = value, let whole = Int(exactly: number),
      allowed.contains(whole)
    else {
      throw refuse(
        key, value, "a whole number from \(allowed.lowerBound) to \(allowed.upperBound)")
    }
    return whole
  }

  /// A whole number or nil.
  public func optionalInt(
    _ key: String, in allowed: ClosedRange<Int>
  ) throws(PluginError) -> Int? {
    present(key) == nil ? nil : try int(key, default: allowed.lowerBound, in: allowed)
  }

  public func double(
    _ key: String, default fallback: Double, where accepts: (Double) -> Bool, _ allowed: String
  ) throws(PluginError) -> Double {
    try optionalDouble(key, where: accepts, allowed) ?? fallback
  }

  /// A number or nil.
  public func optionalDouble(
    _ key: String, where accepts: (Double) -> Bool, _ allowed: String
  ) throws(PluginError) -> Double? {
    guard let value = present(key) else { return nil }
    guard case .number(let number) = value, accepts(number) else {
      throw refuse(key, value, allowed)
    }
    return number
  }

  public func bool(_ key: String, default fallback: Bool) throws(PluginError) -> Bool {
    guard let value = present(key) else { return fallback }
    guard case .bool(let flag) = value else { throw refuse(key, value, "true or false") }
    return flag
  }

  public func string(_ key: String, default fallback: String? = nil) throws(PluginError) -> String {
    guard let value = present(key) else {
      if let fallback { return fallback }
      throw .invalidArgument("\(owner): the setting \(key) is missing")
    }
    guard case .string(let text) = value else { throw refuse(key, value, "a text") }
    return text
  }

  /// One of the raw values of an enumeration.
  public func choice<Choice: RawRepresentable & CaseIterable>(
    _ key: String, default fallback: Choice
  ) throws(PluginError) -> Choice where Choice.RawValue == String {
    guard let value = present(key) else { return fallback }
    guard case .string(let text) = value, let choice = Choice(rawValue: text) else {
      throw refuse(
        key, value, "one of " + Choice.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return choice
  }

  /// A list of numbers or nil.
  public func optionalDoubles(_ key: String) throws(PluginError) -> [Double]? {
    guard let value = present(key) else { return nil }
    guard case .array(let elements) = value else { throw refuse(key, value, "a list of numbers") }
    var numbers: [Double] = []
    for element in elements {
      guard case .number(let number) = element else {
        throw refuse(key, element, "a list of numbers")
      }
      numbers.append(number)
    }
    return numbers
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

  private init(values: [String: JSONValue], owner: String) {
    self.values = values
    self.owner = owner
  }

  private func present(_ key: String) -> JSONValue? {
    values[key].flatMap { $0 == .null ? nil : $0 }
  }
}
