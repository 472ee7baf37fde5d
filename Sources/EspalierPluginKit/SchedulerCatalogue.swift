public import EspalierABI

/// The scheduler classes of a library, as the boundary's table asks for them.
///
/// Make it once, as a global constant, and let the three functions given to `schedulerTable` call it.
public struct SchedulerCatalogue: @unchecked Sendable {
  // SAFETY: the tables are written once here, then only read, and never freed.
  private let tables: UnsafeMutablePointer<esp_scheduler_class>
  private let classes: [SchedulerClass]

  public init(_ classes: [SchedulerClass]) {
    self.classes = classes
    tables = .allocate(capacity: max(classes.count, 1))
    for (index, entry) in classes.enumerated() {
      (tables + index).initialize(
        to: esp_scheduler_class(
          struct_size: UInt32(MemoryLayout<esp_scheduler_class>.size), flags: 0,
          class_name: processLifetimeCString(entry.className),
          short_name: processLifetimeCString(entry.shortName),
          summary: processLifetimeCString(entry.summary), options: nil, option_count: 0))
    }
  }

  public var count: UInt32 { UInt32(classes.count) }

  public func table(at index: UInt32) -> UnsafePointer<esp_scheduler_class>? {
    index < count ? UnsafePointer(tables + Int(index)) : nil
  }

  /// The table's `create`; takes the class name or the short name.
  public func create(
    _ className: UnsafePointer<CChar>, _ config: UnsafePointer<CChar>,
    _ out: UnsafeMutablePointer<OpaquePointer?>, _ error: UnsafeMutablePointer<esp_error>
  ) -> Int32 {
    guardCall(error) {
      out.pointee = nil
      let name = String(cString: className)
      guard let entry = classes.first(where: { $0.className == name || $0.shortName == name })
      else {
        throw PluginError(
          ESP_NOT_FOUND,
          "no scheduler class \(name); this library offers "
            + classes.map(\.className).joined(separator: ", "))
      }
      let settings = try PluginSettings(json: String(cString: config), owner: entry.className)
      out.pointee = Handle.create(SchedulerBox(try entry.create(settings)))
    }
  }
}
