import Glibc

/// The folders where plugins are looked for, first match wins.
///
/// In order: `--plugin-dir`, `ESPALIER_PLUGIN_PATH`, `$XDG_DATA_HOME/espalier/plugins`,
/// `../lib/espalier/plugins` beside the executable, and the executable's own folder, which is where a
/// developer's build puts them. Never the current directory: entries of the environment that are empty
/// or relative are ignored.
public struct PluginSearchPath: Sendable, Equatable {
  /// Where a folder of the search path comes from.
  public enum Origin: String, Sendable, Codable {
    case option = "--plugin-dir"
    case environment = "ESPALIER_PLUGIN_PATH"
    case userData = "user data"
    case installation = "installation"
    case build = "executable's folder"
  }

  /// One folder of the search path.
  public struct Folder: Sendable, Equatable {
    public let path: String
    public let origin: Origin
  }

  public let folders: [Folder]
  /// Entries of `ESPALIER_PLUGIN_PATH` that were left out because they are relative.
  public let ignoredEntries: [String]

  /// - Parameters:
  ///   - pluginDirectories: The values of `--plugin-dir`, in order.
  ///   - environment: Looks up an environment variable.
  ///   - executable: The path of the running program; nil if unknown.
  public init(
    pluginDirectories: [String] = [],
    environment: (String) -> String? = Self.processEnvironment,
    executable: String? = Self.processExecutable()
  ) {
    var folders = pluginDirectories.map { Folder(path: $0, origin: .option) }
    var ignored: [String] = []
    for entry in (environment("ESPALIER_PLUGIN_PATH") ?? "").split(separator: ":") {
      if entry.hasPrefix("/") {
        folders.append(Folder(path: String(entry), origin: .environment))
      } else {
        ignored.append(String(entry))
      }
    }
    if let data = Self.userDataFolder(environment) {
      folders.append(Folder(path: data + "/espalier/plugins", origin: .userData))
    }
    if let slash = executable?.lastIndex(of: "/"), let executable {
      let folder = String(executable[..<slash])
      folders.append(Folder(path: folder + "/../lib/espalier/plugins", origin: .installation))
      folders.append(Folder(path: folder.isEmpty ? "/" : folder, origin: .build))
    }
    self.folders = folders
    ignoredEntries = ignored
  }

  /// The value of an environment variable of this process.
  public static func processEnvironment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }

  /// The absolute path of the running program.
  public static func processExecutable() -> String? { realPath("/proc/self/exe") }

  /// `XDG_DATA_HOME` if it is absolute (the specification has relative ones ignored), else its default.
  private static func userDataFolder(_ environment: (String) -> String?) -> String? {
    if let data = environment("XDG_DATA_HOME"), data.hasPrefix("/") { return data }
    guard let home = environment("HOME"), home.hasPrefix("/") else { return nil }
    return home + "/.local/share"
  }
}
