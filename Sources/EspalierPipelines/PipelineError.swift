import EspalierHost

/// What keeps a pipeline from being opened or run.
public enum PipelineError: Error, Equatable, CustomStringConvertible {
  /// There is no folder at this path.
  case folderNotFound(path: String, setting: String)
  /// The folder or file is not what the setting asks for.
  case notAModel(
    path: String, setting: String, expected: String, found: String, hint: String? = nil)
  /// The model has no such component.
  case missingComponent(String, model: String, expected: String? = nil, hint: String)
  /// A component is of a class, or of a size, that does not fit the others.
  case component(String, path: String, expected: String, found: String, hint: String)
  /// A setting of a generation cannot be used.
  case setting(String, expected: String, found: String)
  /// A component's output is not finite.
  case notFinite(component: String, hint: String)
  /// A folder that is to be made is there already and holds something.
  case folderNotEmpty(path: String)
  /// A file system has too little space for what is to be written.
  case diskSpace(folder: String, needed: Int, available: Int)
  /// The user asked to stop.
  case cancelled

  public var description: String {
    switch self {
    case .folderNotFound(let path, let setting):
      return lines(
        "there is no model folder", [("path", path), ("setting", setting)],
        hint: Self.looksLikeHubID(path)
          ? """
          Espalier does not download models; download it first, for example with
                    'hf download \(path) --local-dir DIR', and give the folder
          """ : "check the path")
    case .notAModel(let path, let setting, let expected, let found, let hint):
      return lines(
        "this is not what \(setting) asks for",
        [("path", path), ("expected", expected), ("found", found)],
        hint: hint ?? "a model folder in Diffusers' layout has model_index.json, unet/, vae/, …")
    case .missingComponent(let component, let model, let expected, let hint):
      return lines(
        "the model has no \(component)",
        [("path", model), ("expected", expected ?? "the folder \(component)/")],
        hint: hint)
    case .component(let component, let path, let expected, let found, let hint):
      return lines(
        "the \(component) cannot be used",
        [("path", path), ("expected", expected), ("found", found)], hint: hint)
    case .setting(let name, let expected, let found):
      return "\(name) is \(found); expected \(expected)"
    case .notFinite(let component, let hint):
      return lines("the output of the \(component) is not finite", [], hint: hint)
    case .folderNotEmpty(let path):
      return lines(
        "the folder is not empty", [("path", path)],
        hint: "name a new folder, or remove this one first")
    case .diskSpace(let folder, let needed, let available):
      return lines(
        "there is too little disk space",
        [
          ("folder", folder), ("expected", "\(ByteCount(needed))"),
          ("found", "\(ByteCount(available))"),
        ], hint: "free some space or choose another disk")
    case .cancelled:
      return "stopped"
    }
  }

  private func lines(_ summary: String, _ parts: [(String, String)], hint: String) -> String {
    let rows = (parts + [("hint", hint)]).map { name, text in
      "\n  " + name + String(repeating: " ", count: max(10 - name.count, 1)) + text
    }
    return summary + rows.joined()
  }

  /// True for `owner/name`, which is no path here.
  private static func looksLikeHubID(_ path: String) -> Bool {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    return parts.count == 2 && parts.allSatisfy { !$0.isEmpty && !$0.hasPrefix(".") }
  }
}
