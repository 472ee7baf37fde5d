import EspalierABI

/// What the search path holds: every plugin file, opened, with its outcome.
public struct PluginInventory: Sendable {
  /// What became of a plugin file.
  public enum Outcome: Sendable {
    /// It can be used.
    case usable(Contents)
    /// It cannot, for this reason.
    case refused(String)
    /// Another file of the same kind and name comes first.
    case shadowed(by: String)
  }

  /// What a plugin tells about itself.
  public struct Contents: Sendable {
    public let version: String
    public let summary: String
    /// The options that the plugin itself takes; a scheduler plugin's are those of its classes.
    public let options: [PluginOption]
    /// Of a backend.
    public let devices: [DeviceInfo]
    /// Of a scheduler plugin.
    public let schedulers: [SchedulerClass]

    /// The same with other classes.
    public func with(schedulers: [SchedulerClass]) -> Contents {
      Contents(
        version: version, summary: summary, options: options, devices: devices,
        schedulers: schedulers)
    }
  }

  /// A plugin file and what became of it.
  public struct Entry: Sendable {
    public let name: String
    public let kind: PluginKind
    public let file: String
    public let outcome: Outcome

    public init(name: String, kind: PluginKind, file: String, outcome: Outcome) {
      self.name = name
      self.kind = kind
      self.file = file
      self.outcome = outcome
    }
  }

  /// In search order.
  public let entries: [Entry]
  /// The folders that were searched, in order; some may not exist.
  public let folders: [PluginSearchPath.Folder]

  public init(entries: [Entry], folders: [PluginSearchPath.Folder]) {
    self.entries = entries
    self.folders = folders
  }
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
      case .scheduler(_, let classes): schedulers = classes
      case .logger, .communicator: break
      }
      return .usable(
        PluginInventory.Contents(
          version: plugin.version, summary: plugin.summary, options: plugin.options,
          devices: devices, schedulers: schedulers))
    } catch PluginError.refused(_, let refusal) {
      return .refused("\(refusal)")
    } catch {
      return .refused("\(error)")
    }
  }

  /// The names of the plugins of a kind that were found; none is opened.
  public func names(of kind: PluginKind) -> [String] {
    Set(loader.candidates.map(\.file).filter { $0.kind == kind }.map(\.name)).sorted()
  }
}
