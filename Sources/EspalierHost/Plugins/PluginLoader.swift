import Dispatch
import Logging
import Synchronization

/// Finds plugins along the search path and opens those that are asked for.
///
/// A plugin is opened once and never unloaded. Files given by name (`--plugin FILE`) come before all
/// folders and are opened at once.
final class PluginLoader: Sendable {
  /// A plugin file on the search path.
  struct Candidate: Sendable, Equatable {
    let file: PluginFile
    /// The file that comes before this one under the same kind and name.
    let shadowedBy: String?
  }

  let searchPath: PluginSearchPath
  /// All plugin files, in search order.
  let candidates: [Candidate]
  private let state = Mutex(State())
  private static let logger = Logger(label: "espalier.plugins")

  private struct State {
    var opened: [LoadedPlugin] = []
    var refused: [String: PluginRefusal] = [:]
    var isShutDown = false
  }

  /// Lists the search path and opens `files`.
  ///
  /// - Parameter files: The values of `--plugin`.
  /// - Throws: `PluginError.refused` if one of `files` cannot be used, `.unreadableFolder` for a
  ///   `--plugin-dir` that cannot be read.
  init(searchPath: PluginSearchPath, files: [String]) throws(PluginError) {
    self.searchPath = searchPath
    for entry in searchPath.ignoredEntries {
      Self.logger.warning(
        "ignoring '\(entry)' in ESPALIER_PLUGIN_PATH: only absolute paths are searched")
    }
    var found: [PluginFile] = []
    for path in files {
      guard let file = PluginFile(path: path) else { throw .refused(file: path, .fileName) }
      if let other = found.first(where: { $0.kind == file.kind && $0.name == file.name }) {
        throw .refused(
          file: path, .duplicate(kind: file.kind, name: file.name, file: other.path))
      }
      found.append(file)
    }
    let explicit = found
    for folder in searchPath.folders {
      if let files = PluginFile.all(in: folder.path) {
        found += files
      } else if folder.origin == .option {
        throw .unreadableFolder(folder.path)
      }
    }
    candidates = Self.shadow(found)
    for file in explicit { _ = try open(file) }
  }

  /// The plugin of this kind and name, opened now or before; nil if there is no such file.
  func plugin(_ kind: PluginKind, named name: String) throws(PluginError) -> LoadedPlugin? {
    let file = usable(kind).first { $0.name == name }
    guard let file else { return nil }
    return try open(file)
  }

  /// The files of this kind that are not shadowed, in search order.
  func usable(_ kind: PluginKind) -> [PluginFile] {
    candidates.filter { $0.shadowedBy == nil && $0.file.kind == kind }.map(\.file)
  }

  /// Opens a file of the list; a refusal is remembered.
  func open(_ file: PluginFile) throws(PluginError) -> LoadedPlugin {
    let result: Result<LoadedPlugin, PluginError> = state.withLock { state in
      if let plugin = state.opened.first(where: { $0.kind == file.kind && $0.name == file.name }) {
        return .success(plugin)
      }
      if let refusal = state.refused[file.path] {
        return .failure(.refused(file: file.path, refusal))
      }
      if state.isShutDown { return .failure(.shutDown(file.kind, name: file.name)) }
      do throws(PluginRefusal) {
        let plugin = try LoadedPlugin(file)
        state.opened.append(plugin)
        return .success(plugin)
      } catch {
        state.refused[file.path] = error
        return .failure(.refused(file: file.path, error))
      }
    }
    let plugin = try result.get()
    Self.logger.debug("opened the \(plugin.kind.rawValue) '\(plugin.name)' from \(plugin.file)")
    return plugin
  }

  /// Ends all opened plugins, the last opened first; no plugin may be called after this.
  ///
  /// - Parameter seconds: How long to wait for each at most; one that hangs is left to itself with a
  ///   warning, so that it cannot keep the program from ending.
  func shutdown(waitingAtMost seconds: Double) {
    let opened = state.withLock { state in
      defer { state.opened = [] }
      state.isShutDown = true
      return state.opened
    }
    for plugin in opened.reversed() where plugin.hasShutdown {
      let done = DispatchSemaphore(value: 0)
      DispatchQueue(label: "espalier.shutdown.\(plugin.name)").async {
        plugin.shutdown()
        done.signal()
      }
      if done.wait(timeout: .now() + seconds) == .timedOut {
        Self.logger.warning(
          """
          the \(plugin.kind.rawValue) '\(plugin.name)' did not end within \(seconds) s and is left to itself; \
          report this to the author of \(plugin.file)
          """)
      }
    }
  }

  /// Marks every file that comes after another one of its kind and name; the same file twice is one.
  private static func shadow(_ files: [PluginFile]) -> [Candidate] {
    var winners: [String: (path: String, real: String?)] = [:]
    var candidates: [Candidate] = []
    for file in files {
      let key = "\(file.kind.rawValue)-\(file.name)"
      let real = realPath(file.path)
      if let winner = winners[key] {
        if winner.real != real || real == nil {
          candidates.append(Candidate(file: file, shadowedBy: winner.path))
        }
      } else {
        winners[key] = (file.path, real)
        candidates.append(Candidate(file: file, shadowedBy: nil))
      }
    }
    return candidates
  }
}
