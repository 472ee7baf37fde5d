import EspalierABI

/// What the search path holds: every plugin file, opened, with its outcome.
public struct PluginInventory: Sendable {
  /// What became of a plugin file.
  public enum Outcome: Sendable {
    /// It can be used; `devices` for a backend, `schedulers` for a scheduler plugin.
    case usable(
      version: String, summary: String, devices: [DeviceInfo], schedulers: [SchedulerClass])
    /// It cannot, for this reason.
    case refused(String)
    /// Another file of the same kind and name comes first.
    case shadowed(by: String)
  }

  /// A plugin file and what became of it.
  public struct Entry: Sendable {
    public let name: String
    public let kind: PluginKind
    public let file: String
    public let outcome: Outcome
  }

  /// In search order.
  public let entries: [Entry]
  /// The folders that were searched, in order; some may not exist.
  public let folders: [PluginSearchPath.Folder]
}

extension PluginRegistry {
  /// Opens everything on the search path and reports what was found.
  public func inventory() -> PluginInventory {
    let entries = loader.candidates.map { candidate in
      let file = candidate.file
      return PluginInventory.Entry(
        name: file.name, kind: file.kind, file: file.path,
        outcome: candidate.shadowedBy.map { .shadowed(by: $0) } ?? outcome(file))
    }
    return PluginInventory(entries: entries, folders: loader.searchPath.folders)
  }

  private func outcome(_ file: PluginFile) -> PluginInventory.Outcome {
    do {
      let plugin = try loader.open(file)
      var devices: [DeviceInfo] = []
      var schedulers: [SchedulerClass] = []
      switch plugin.api {
      case .backend: devices = try openBackend(file.name).devices
      case .scheduler(let api): schedulers = try SchedulerClass.all(of: api, plugin: plugin.name)
      case .logger, .communicator: break
      }
      return .usable(
        version: plugin.version, summary: plugin.summary, devices: devices, schedulers: schedulers)
    } catch PluginError.refused(_, let refusal) {
      return .refused("\(refusal)")
    } catch {
      return .refused("\(error)")
    }
  }
}

extension PluginRegistry {
  /// The names of the plugins of a kind that were found; none is opened.
  public func names(of kind: PluginKind) -> [String] {
    Set(loader.candidates.map(\.file).filter { $0.kind == kind }.map(\.name)).sorted()
  }
}
