import EspalierABI
public import EspalierText

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
  /// The keys of its configuration that a user may set.
  public let options: [PluginOption]
  /// What the short name stands for beside the class: it replaces keys of the configuration.
  public let preset: [JSONMember]

  /// The classes of a plugin.
  ///
  /// - Throws: `PluginRefusal` if one of them is missing or incomplete.
  static func all(
    of api: UnsafePointer<esp_scheduler_api>, plugin: String, minor: UInt32
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
      classes.append(try SchedulerClass(table.pointee, plugin: plugin, minor: minor))
    }
    return classes
  }

  private init(
    _ table: esp_scheduler_class, plugin: String, minor: UInt32
  ) throws(PluginRefusal) {
    className = String(cString: table.class_name)
    shortName = String(cString: table.short_name)
    summary = String(cString: table.summary)
    pluginName = plugin
    do {
      options = try PluginOption.all(table.options, count: table.option_count, minor: minor)
    } catch {
      throw .options(schedulerClass: shortName, error)
    }
    preset =
      if let text = table.preset { try Self.preset(String(cString: text), of: shortName) } else {
        []
      }
  }

  private static func preset(
    _ text: String, of shortName: String
  ) throws(PluginRefusal) -> [JSONMember] {
    do throws(JSONSyntaxError) {
      guard let members = try JSONValue(parsing: text.utf8).members else {
        throw JSONSyntaxError(offset: 0, expected: "an object", found: "another value")
      }
      return members
    } catch {
      throw .preset(schedulerClass: shortName, error.description)
    }
  }

  /// How the user's options reach it.
  var optionOwner: OptionOwner {
    OptionOwner(
      title: "scheduler '\(shortName)'", names: [shortName, className, pluginName],
      options: options)
  }

  /// True for the class's own name or its short one.
  public func isCalled(_ name: String) -> Bool { name == className || name == shortName }
}
