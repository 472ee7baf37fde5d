import EspalierHost
import EspalierTensors
import Foundation

/// The inventory of plugins as text.
enum PluginListing {
  /// A table with one line for each plugin, devices and schedulers below it, then refused files and
  /// the folders that were searched.
  static func table(_ inventory: PluginInventory) -> String {
    var rows = [["NAME", "KIND", "VERSION", "FILE"]]
    var details: [Int: [String]] = [:]
    var others: [String] = []
    for entry in inventory.entries {
      switch entry.outcome {
      case .usable(let contents):
        rows.append([entry.name, entry.kind.rawValue, contents.version, entry.file])
        var lines = [contents.summary] + contents.devices.flatMap(Self.lines)
        lines += Self.lines(contents.schedulers)
        if entry.kind == .backend && contents.devices.isEmpty { lines.append("no device") }
        details[rows.count - 1] = lines
      case .refused(let reason):
        others.append("refused   \(entry.file)\n          \(reason)")
      case .shadowed(let winner):
        others.append("shadowed  \(entry.file)\n          by \(winner)")
      }
    }
    var lines = rows.count > 1 ? columns(rows, details) : ["no plugin was found"]
    if !others.isEmpty { lines += [""] + others }
    lines += ["", "searched"]
    lines += inventory.folders.map { "  \($0.path) (\($0.origin.rawValue))" }
    return lines.joined(separator: "\n")
  }

  /// Rows with their columns below each other, and lines below some of them.
  static func columns(_ rows: [[String]], _ details: [Int: [String]] = [:]) -> [String] {
    let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0
    }
    return rows.indices.flatMap { index -> [String] in
      let cells = zip(rows[index], widths).map { cell, width in
        cell.padding(toLength: max(width, cell.count), withPad: " ", startingAt: 0)
      }
      let line = cells.joined(separator: "  ")
      return [String(line.reversed().drop { $0 == " " }.reversed())]
        + (details[index] ?? []).map { "  " + $0 }
    }
  }

  /// A line for each class, in the plugin's order: its name and the short names for it.
  static func lines(_ schedulers: [SchedulerClass]) -> [String] {
    let shortNames = Dictionary(grouping: schedulers, by: \.className).mapValues {
      $0.map(\.shortName).joined(separator: ", ")
    }
    let classNames = schedulers.map(\.className).reduce(into: [String]()) { names, name in
      if !names.contains(name) { names.append(name) }
    }
    return classNames.map { "\($0): \(shortNames[$0] ?? "")" }
  }

  /// The device's number, name and kind; below, indented, what it is in detail and what it offers.
  static func lines(_ device: DeviceInfo) -> [String] {
    let memory = [
      device.memoryByteCount.map { "memory \(ByteCount($0))" },
      device.freeMemoryByteCount.map { "\(ByteCount($0)) free" },
      "a buffer at most \(ByteCount(device.maxBufferByteCount))",
      "alignment \(ByteCount(device.alignment))",
    ]
    let types = [("activations", device.activationDTypes), ("weights", device.weightDTypes)]
      .map { "\($0) \($1.map(\.rawValue).joined(separator: " "))" }
    return ["device \(device)"]
      + [
        device.details, memory.compactMap(\.self).joined(separator: ", "),
        types.joined(separator: ", "),
      ].compactMap { $0.map { "  " + $0 } }
  }

  /// `{"plugins": […], "folders": […]}`; a plugin has `status` `usable`, `refused` or `shadowed`.
  static func json(_ inventory: PluginInventory) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let document = PluginDocument(inventory)
    return String(decoding: try encoder.encode(document), as: UTF8.self)
  }
}
