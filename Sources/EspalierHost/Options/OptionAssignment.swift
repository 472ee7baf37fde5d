/// An option as a user sets it: `NAME.KEY=VALUE` or `KEY=VALUE`.
public struct OptionAssignment: Sendable, Equatable {
  /// The flag that it came with, for messages: `--logger_option`.
  public let flag: String
  /// The plugin's name, if the user gave one.
  public let plugin: String?
  public let key: String
  public let value: String

  public init(flag: String, plugin: String? = nil, key: String, value: String) {
    self.flag = flag
    self.plugin = plugin
    self.key = key
    self.value = value
  }

  /// Takes a text apart: at its first `=`, and what stands before at its last dot, since a plugin's name
  /// may have one and an option's has none.
  ///
  /// - Throws: `OptionError.form`.
  public init(_ text: String, flag: String) throws(OptionError) {
    guard let equals = text.firstIndex(of: "=") else { throw .form(flag: flag, text: text) }
    let name = text[..<equals]
    let dot = name.lastIndex(of: ".")
    let key = dot.map { name[name.index(after: $0)...] } ?? name
    let plugin = dot.map { String(name[..<$0]) }
    guard !key.isEmpty, plugin != "" else { throw .form(flag: flag, text: text) }
    self.init(
      flag: flag, plugin: plugin, key: String(key),
      value: String(text[text.index(after: equals)...]))
  }
}

extension OptionAssignment: CustomStringConvertible {
  /// Flag and key. Not the value: somebody may have given a secret to the wrong program.
  public var description: String { "\(flag) \(plugin.map { $0 + "." } ?? "")\(key)" }
}
