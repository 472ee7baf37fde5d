import EspalierABI
import EspalierText

/// What is wrong with the description of an option.
public enum OptionFault: Error, Equatable, Sendable {
  /// There are to be so many, but there is no list.
  case noList(count: Int)
  /// More than anybody would describe: the count is garbage.
  case tooMany(count: Int)
  case noDescription
  /// Its struct is too short or lacks a text; the same as for any other struct.
  indirect case structure(PluginRefusal)
  /// Not made of letters, digits, `_` and `-`.
  case name(String)
  case duplicate(String)
  case type(name: String, Int32)
  case noChoices(String)
  case defaultValue(name: String, found: String, allowed: String)
}

extension OptionFault: CustomStringConvertible {
  public var description: String {
    switch self {
    case .noList(let count): "says \(count) options but has no list of them"
    case .tooMany(let count): "says \(count) options, expected at most \(PluginOption.most)"
    case .noDescription: "has a null option"
    case .structure(let refusal): "describes an option wrongly: \(refusal)"
    case .name(let name):
      "has an option '\(name)'; expected a name of letters, digits, '_' and '-'"
    case .duplicate(let name): "describes the option '\(name)' twice"
    case .type(let name, let type): "gives its option '\(name)' the unknown type \(type)"
    case .noChoices(let name): "gives its option '\(name)' no choices to choose from"
    case .defaultValue(let name, let found, let allowed):
      "gives its option '\(name)' the default '\(found)', which is not \(allowed)"
    }
  }
}

extension PluginOption {
  static let most = 1024

  /// Reads a plugin's descriptions, of which it trusts nothing but their addresses.
  ///
  /// - Parameter minor: The boundary that the plugin was compiled with: a newer one may have types that
  ///   this host does not know, and which it takes as texts.
  static func all(
    _ list: UnsafePointer<esp_option_description_ref>?, count: Int, minor: UInt32
  ) throws(OptionFault) -> [PluginOption] {
    guard count > 0 else { return [] }
    guard let list else { throw .noList(count: count) }
    guard count <= most else { throw .tooMany(count: count) }
    var options: [PluginOption] = []
    for index in 0..<count {
      // The header says non-null; a wrong plugin does not care.
      let address = UnsafeRawPointer(list + index).load(as: UInt.self)
      guard let source = UnsafeRawPointer(bitPattern: address) else { throw .noDescription }
      let option = try PluginOption(source, minor: minor)
      guard !options.contains(where: { $0.name == option.name }) else {
        throw .duplicate(option.name)
      }
      options.append(option)
    }
    return options
  }

  private init(_ source: UnsafeRawPointer, minor: UInt32) throws(OptionFault) {
    let table: UnsafePointer<esp_option_description>
    do {
      table = try PluginTable.copy(
        source, as: esp_option_description.self, named: "esp_option_description", head: 8,
        required: RequiredFields.optionDescription)
    } catch {
      throw .structure(error)
    }
    defer { table.deallocate() }
    let name = String(cString: table.pointee.name)
    let isAllowed = { (byte: UInt8) in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
        true
      default: false
      }
    }
    guard !name.isEmpty, name.utf8.allSatisfy(isAllowed) else { throw .name(name) }
    let type = table.pointee.type
    guard let kind = Kind(code: type) ?? (minor > ESP_ABI_MINOR ? .string : nil) else {
      throw .type(name: name, type)
    }
    let choices = table.pointee.choices.map { String(cString: $0) } ?? ""
    self.init(
      name: name, kind: kind,
      defaultValue: table.pointee.default_value.map { String(cString: $0) },
      choices: kind == .choice ? choices.split(separator: ",").map(String.init) : [],
      summary: String(cString: table.pointee.summary))
    guard kind != .choice || !self.choices.isEmpty else { throw .noChoices(name) }
    if let defaultValue, value(ofText: defaultValue) == nil {
      throw .defaultValue(name: name, found: defaultValue, allowed: allowed)
    }
  }
}

extension PluginOption.Kind {
  fileprivate init?(code: Int32) {
    switch code {
    case ESP_OPTION_STRING: self = .string
    case ESP_OPTION_BOOL: self = .bool
    case ESP_OPTION_INT: self = .int
    case ESP_OPTION_NUMBER: self = .number
    case ESP_OPTION_CHOICE: self = .choice
    case ESP_OPTION_JSON: self = .json
    default: return nil
    }
  }
}
