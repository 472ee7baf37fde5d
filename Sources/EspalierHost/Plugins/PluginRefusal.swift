import EspalierABI

/// The reason why a plugin file is not used.
public enum PluginRefusal: Error, Equatable, Sendable {
  /// The file name does not say what is inside.
  case fileName
  case missingFile
  /// The system's loader could not open the file; its own words.
  case notLoadable(String)
  case missingEntry
  /// The entry symbol comes from another file, a dependency of this one.
  case foreignEntry(file: String)
  /// The entry returned an error instead of a plugin.
  case entryFailed(CallFailure)
  /// The entry reported success and handed out nothing.
  case noTable(index: Int)
  /// The library offers nothing under the kind and name of its file.
  case otherPlugin(expected: String, found: [String])
  case majorVersion(found: UInt32, expected: UInt32)
  case hostTooOld(needsMinor: UInt32, hostMinor: UInt32)
  /// A struct ends before its required fields do.
  case tooShort(structure: String, bytes: Int, required: Int)
  /// A required function or text lies beyond the end of its struct, or is null.
  case missingField(structure: String, field: String, beyondEnd: Bool)
  /// The plugin, or the scheduler class of this name, describes its options wrongly.
  case options(schedulerClass: String?, OptionFault)
  /// What a scheduler's short name stands for is no JSON object.
  case preset(schedulerClass: String, String)
  /// Another library, or the same one twice, offers a plugin of this kind and name.
  case duplicate(kind: PluginKind, name: String, file: String)
}

extension PluginRefusal: CustomStringConvertible {
  public var description: String {
    switch self {
    case .fileName:
      "expected a name of the form libespalier-KIND-NAME.so, KIND one of "
        + PluginKind.allCases.map(\.rawValue).joined(separator: ", ") + "; rename it"
    case .missingFile: "there is no such file; check the path"
    case .notLoadable(let reason): "the system cannot load it: \(reason)"
    case .missingEntry:
      "it does not export '\(ESP_ENTRY_SYMBOL)'; it is no espalier plugin, or hides its symbols"
    case .foreignEntry(let file):
      "its '\(ESP_ENTRY_SYMBOL)' is that of \(file); a plugin must define its own"
    case .entryFailed(let failure): "its entry function failed: \(failure)"
    case .noTable(let index):
      "its entry function reported success for index \(index) but handed out no plugin;"
        + " report this to the plugin's author"
    case .otherPlugin(let expected, let found):
      found.isEmpty
        ? "it offers no plugin at all; expected \(expected), as the file name says"
        : "it offers \(found.joined(separator: ", ")); expected \(expected), as the file name says;"
          + " rename the file"
    case .majorVersion(let found, let expected):
      "built for plugin boundary \(found), this espalier speaks \(expected); "
        + (found < expected ? "rebuild the plugin" : "rebuild the plugin or update espalier")
    case .hostTooOld(let needed, let host):
      "it needs plugin boundary 1.\(needed) or newer, this espalier speaks 1.\(host); update espalier"
    case .tooShort(let structure, let bytes, let required):
      "its \(structure) says \(bytes) bytes, at least \(required) are required;"
        + " rebuild the plugin with this espalier's header"
    case .missingField(let structure, let field, let beyondEnd):
      "its \(structure) lacks the required '\(field)'"
        + (beyondEnd ? " (the struct ends before it)" : " (it is null)")
        + "; rebuild the plugin with this espalier's header"
    case .options(let schedulerClass, let fault):
      (schedulerClass.map { "its scheduler '\($0)' " } ?? "it ")
        + "\(fault); report this to the plugin's author"
    case .preset(let schedulerClass, let fault):
      "the preset of its scheduler '\(schedulerClass)' is no JSON object: \(fault);"
        + " report this to the plugin's author"
    case .duplicate(let kind, let name, let file):
      "the \(kind.rawValue) '\(name)' is already offered by \(file); remove one of the two"
    }
  }
}
