import EspalierText

/// Why an option that a user set cannot be used.
public enum OptionError: Error, Equatable {
  /// Not of the form that the flag takes.
  case form(flag: String, text: String)
  /// Nothing that takes such options is in use.
  case nobody(OptionAssignment, kind: PluginKind)
  /// Several plugins take such options, and the user named none.
  case ambiguous(OptionAssignment, kind: PluginKind, names: [String])
  /// What the user named is not in use.
  case notInUse(OptionAssignment, kind: PluginKind, names: [String])
  case unknown(OptionAssignment, owner: String, plugin: String, options: [String])
  case value(OptionAssignment, allowed: String)
  case twice(OptionAssignment)
}

extension OptionError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .form(let flag, let text):
      "\(flag) is '\(text)'; expected KEY=VALUE or NAME.KEY=VALUE, with the name of the plugin"
    case .nobody(let option, let kind):
      "\(option): no \(kind.rawValue) is in use that could take it"
    case .ambiguous(let option, let kind, let names):
      "\(option): several \(kind.rawValue)s are in use, say which one: "
        + names.map { "\($0).\(option.key)=…" }.joined(separator: " or ")
    case .notInUse(let option, let kind, let names):
      "\(option): the \(kind.rawValue) '\(option.plugin ?? "")' is not in use"
        + Self.hint(option.plugin ?? "", names) + ", but " + names.joined(separator: ", ")
    case .unknown(let option, let owner, _, let options) where options.isEmpty:
      "\(option): the \(owner) takes no options"
    case .unknown(let option, let owner, let plugin, let options):
      "\(option): the \(owner) has no option '\(option.key)'" + Self.hint(option.key, options)
        + "; it takes \(options.joined(separator: ", ")), as 'espalier plugins \(plugin)' describes them"
    case .value(let option, let allowed):
      "\(option): expected \(allowed), found '\(option.value)'"
    case .twice(let option):
      "\(option): this option is given twice"
    }
  }

  private static func hint(_ name: String, _ names: [String]) -> String {
    NearestNames.meant(by: name, among: names).map { " (did you mean '\($0)'?)" } ?? ""
  }
}
