import EspalierCheckpoints
import EspalierHost
import EspalierTensors

/// The JSON form of the inventory of plugins; absent keys do not apply.
struct PluginDocument: Encodable {
  struct Plugin: Encodable {
    let name, kind, file, status: String
    var version, summary, reason, shadowedBy: String?
    var devices: [Device]?
    var schedulers: [Scheduler]?
    /// Not of a scheduler plugin, whose classes have theirs.
    var options: [Option]?
  }

  struct Device: Encodable {
    let index: Int
    let name, deviceClass: String
    let details: String?
    let memoryBytes, freeMemoryBytes: Int?
    let maxBufferBytes, alignment: Int
    let activationDTypes, weightDTypes: [String]
  }

  struct Scheduler: Encodable {
    let shortName, className, summary: String
    let options: [Option]
    /// What the short name stands for beside the class, as texts.
    let preset: [String: String]?
  }

  struct Option: Encodable {
    let name, type: String
    let `default`: String?
    let choices: [String]?
    let summary: String
  }

  struct Folder: Encodable {
    let path, origin: String
  }

  let plugins: [Plugin]
  let folders: [Folder]

  init(_ inventory: PluginInventory) {
    plugins = inventory.entries.map(Self.plugin)
    folders = inventory.folders.map { Folder(path: $0.path, origin: $0.origin.rawValue) }
  }

  private static func plugin(_ entry: PluginInventory.Entry) -> Plugin {
    func base(_ status: String) -> Plugin {
      Plugin(name: entry.name, kind: entry.kind.rawValue, file: entry.file, status: status)
    }
    switch entry.outcome {
    case .usable(let contents):
      var plugin = base("usable")
      plugin.version = contents.version
      plugin.summary = contents.summary
      if entry.kind == .backend { plugin.devices = contents.devices.map(device) }
      if entry.kind == .scheduler {
        plugin.schedulers = contents.schedulers.map(scheduler)
      } else {
        plugin.options = contents.options.map(option)
      }
      return plugin
    case .refused(let reason):
      var plugin = base("refused")
      plugin.reason = reason
      return plugin
    case .shadowed(let winner):
      var plugin = base("shadowed")
      plugin.shadowedBy = winner
      return plugin
    }
  }

  private static func scheduler(_ entry: SchedulerClass) -> Scheduler {
    Scheduler(
      shortName: entry.shortName, className: entry.className, summary: entry.summary,
      options: entry.options.map(option),
      preset: entry.preset.isEmpty
        ? nil : Dictionary(entry.preset.map { ($0.key, $0.value.optionText) }) { $1 })
  }

  private static func option(_ option: PluginOption) -> Option {
    Option(
      name: option.name, type: option.kind.rawValue, default: option.defaultValue,
      choices: option.choices.isEmpty ? nil : option.choices, summary: option.summary)
  }

  private static func device(_ device: DeviceInfo) -> Device {
    Device(
      index: device.index, name: device.name, deviceClass: device.deviceClass.rawValue,
      details: device.details, memoryBytes: device.memoryByteCount,
      freeMemoryBytes: device.freeMemoryByteCount,
      maxBufferBytes: device.maxBufferByteCount, alignment: device.alignment,
      activationDTypes: device.activationDTypes.map(\.rawValue),
      weightDTypes: device.weightDTypes.map(\.rawValue))
  }
}
