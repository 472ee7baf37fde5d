import EspalierHost
import EspalierTensors

/// The JSON form of the inventory of plugins; absent keys do not apply.
struct PluginDocument: Encodable {
  struct Plugin: Encodable {
    let name, kind, file, status: String
    var version, summary, reason, shadowedBy: String?
    var devices: [Device]?
    var schedulers: [Scheduler]?
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
    case .usable(let version, let summary, let devices, let schedulers):
      var plugin = base("usable")
      plugin.version = version
      plugin.summary = summary
      if entry.kind == .backend { plugin.devices = devices.map(device) }
      if entry.kind == .scheduler {
        plugin.schedulers = schedulers.map {
          Scheduler(shortName: $0.shortName, className: $0.className, summary: $0.summary)
        }
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
