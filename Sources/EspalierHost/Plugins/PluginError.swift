import EspalierABI
import EspalierText

/// Why plugins could not be found or opened.
public enum PluginError: Error, Equatable {
  /// This file is not used, for this reason.
  case refused(file: String, PluginRefusal)
  /// A folder given with `--plugin-dir` cannot be read.
  case unreadableFolder(String)
  /// No plugin of this kind has this name.
  case unknown(PluginKind, name: String, available: [String], folders: [String])
  /// `auto` found no device; what was tried and why not.
  case noDevice(tried: [String], folders: [String])
  /// A backend has no device with this number or name.
  case unknownDevice(backend: String, selector: String, devices: [String])
  /// The part of a device's name fits several devices.
  case ambiguousDevice(backend: String, selector: String, devices: [String])
  /// The thread count is not a whole number that the pool can start.
  case threadCount(text: String, source: String)
  /// A plugin was asked for after `shutdown()`.
  case shutDown(PluginKind, name: String)
}

extension PluginError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .refused(let file, let refusal):
      "cannot use the plugin \(file): \(refusal)"
    case .unreadableFolder(let folder):
      "cannot read the folder \(folder) given with --plugin-dir; check the path"
    case .unknown(let kind, let name, let available, let folders):
      "there is no \(kind.rawValue) '\(name)'; "
        + (NearestNames.meant(by: name, among: available).map { "did you mean '\($0)'? " } ?? "")
        + Self.alternatives(available, kind)
        + Self.searched(folders)
    case .noDevice(let tried, let folders):
      "no backend offers a device that 'auto' may choose"
        + (tried.isEmpty ? "" : ":\n  " + tried.joined(separator: "\n  ")) + Self.searched(folders)
    case .unknownDevice(let backend, let selector, let devices):
      devices.isEmpty
        ? "the backend '\(backend)' finds no device on this machine; is the device's driver installed?"
          + " Or choose another --backend"
        : "the backend '\(backend)' has no device '\(selector)'; it has "
          + devices.joined(separator: ", ")
    case .ambiguousDevice(let backend, let selector, let devices):
      "'\(selector)' fits several devices of the backend '\(backend)': "
        + devices.joined(separator: ", ") + "; name one by its number, as in \(backend):0"
    case .threadCount(let text, let source):
      "\(source) is '\(text)'; expected a whole number from 1 to 1024"
    case .shutDown(let kind, let name):
      "cannot open the \(kind.rawValue) '\(name)': the plugins have been shut down"
    }
  }

  private static func alternatives(_ available: [String], _ kind: PluginKind) -> String {
    available.isEmpty
      ? "no \(kind.rawValue) plugin was found" : "available: " + available.joined(separator: ", ")
  }

  private static func searched(_ folders: [String]) -> String {
    (folders.isEmpty ? "" : "\n  searched " + folders.joined(separator: "\n           "))
      + "\n  give a folder with --plugin-dir or ESPALIER_PLUGIN_PATH;"
      + " 'espalier plugins' shows what was found"
  }
}
