import EspalierABI

/// A scheduler that a scheduler plugin offers.
public struct SchedulerClass: Sendable, Equatable {
  /// Diffusers' name: `EulerDiscreteScheduler`.
  public let className: String
  /// The name for the command line: `euler`.
  public let shortName: String
  /// One line, for people.
  public let summary: String
  /// The plugin that offers it.
  public let pluginName: String

  /// The classes of a plugin.
  ///
  /// - Throws: `PluginRefusal` if one of them is missing or incomplete.
  static func all(
    of api: UnsafePointer<esp_scheduler_api>, plugin: String
  ) throws(PluginRefusal) -> [SchedulerClass] {
    var classes: [SchedulerClass] = []
    for index in 0..<min(api.pointee.class_count(), 1024) {
      guard let source = api.pointee.class_at(index) else {
        throw .missingField(
          structure: "list of classes", field: "class_at(\(index))", beyondEnd: false)
      }
      let table = try PluginTable.copy(
        UnsafeRawPointer(source), as: esp_scheduler_class.self, named: "esp_scheduler_class",
        head: 8, required: RequiredFields.schedulerClass)
      defer { table.deallocate() }
      classes.append(
        SchedulerClass(
          className: String(cString: table.pointee.class_name),
          shortName: String(cString: table.pointee.short_name),
          summary: String(cString: table.pointee.summary), pluginName: plugin))
    }
    return classes
  }

  /// True for the class's own name or its short one.
  func isCalled(_ name: String) -> Bool { name == className || name == shortName }
}
