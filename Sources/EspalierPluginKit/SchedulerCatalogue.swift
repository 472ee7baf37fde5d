import EspalierABI

/// The scheduler classes of a library, as the boundary's table asks for them.
struct SchedulerCatalogue: @unchecked Sendable {
  // SAFETY: the tables are written once here, then only read, and never freed.
  private let tables: [UnsafePointer<esp_scheduler_class>]
  private let classes: [any NoiseSchedulerPlugin.Type]

  init(_ classes: [any NoiseSchedulerPlugin.Type]) {
    self.classes = classes
    tables = classes.flatMap { type in
      let options = OptionTable(type.options)
      return [Self.table(type, type.shortName, type.summary, [], options)]
        + type.aliases.map { Self.table(type, $0.shortName, $0.summary, $0.preset, options) }
    }
  }

  /// Class names and their aliases.
  var count: UInt32 { UInt32(tables.count) }

  func table(at index: UInt32) -> UnsafePointer<esp_scheduler_class>? {
    index < count ? tables[Int(index)] : nil
  }

  /// A scheduler of the class with this name; the host has put an alias's settings into `config`.
  func create(_ name: String, config: String) throws(PluginError) -> SchedulerBox {
    guard let type = classes.first(where: { $0.className == name || $0.shortName == name }) else {
      throw PluginError(
        ESP_NOT_FOUND,
        "no scheduler class \(name); this library offers "
          + classes.map { $0.className }.joined(separator: ", "))
    }
    return SchedulerBox(try type.init(PluginSettings(json: config, owner: type.className)))
  }

  private static func table(
    _ type: any NoiseSchedulerPlugin.Type, _ shortName: String, _ summary: String,
    _ preset: [OptionSetting], _ options: OptionTable
  ) -> UnsafePointer<esp_scheduler_class> {
    let values = Dictionary(preset.map { ($0.name, $0.value) }) { _, last in last }
    let table = UnsafeMutablePointer<esp_scheduler_class>.allocate(capacity: 1)
    table.initialize(
      to: esp_scheduler_class(
        struct_size: UInt32(MemoryLayout<esp_scheduler_class>.size), flags: 0,
        class_name: processLifetimeCString(type.className),
        short_name: processLifetimeCString(shortName), summary: processLifetimeCString(summary),
        options: options.list, option_count: options.count,
        preset: preset.isEmpty ? nil : processLifetimeCString(JSONValue.object(values).text)))
    return UnsafePointer(table)
  }
}
