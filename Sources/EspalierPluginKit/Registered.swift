import EspalierABI
import Synchronization

/// What the library offers. The tables of C functions carry no context, so they find their type here;
/// every library has its own copy of the kit, and thereby of this.
enum Registered {
  private struct State {
    var plugins: [PluginDescriptor] = []
    var backendType: (any BackendPlugin.Type)?
    var backend: BackendCatalogue?
    var logger: (any MetricLoggerPlugin.Type)?
    var schedulers: SchedulerCatalogue?
    /// A kind that was registered twice.
    var duplicate: String?
  }

  private static let state = Mutex(State())

  static func add(backend type: any BackendPlugin.Type) {
    add("backend") {
      guard $0.backendType == nil else { return nil }
      $0.backendType = type
      return PluginDescriptor(
        kind: ESP_KIND_BACKEND, name: type.name, version: type.version, summary: type.summary,
        api: backendTable(importsMemory: type.importsMemory), options: type.options,
        shutdown: { Registered.state.withLock { $0.backendType }?.shutdown() })
    }
  }

  static func add(logger type: any MetricLoggerPlugin.Type) {
    add("logger") {
      guard $0.logger == nil else { return nil }
      $0.logger = type
      return PluginDescriptor(
        kind: ESP_KIND_LOGGER, name: type.name, version: type.version, summary: type.summary,
        api: loggerTable(), options: type.options,
        shutdown: { Registered.state.withLock { $0.logger }?.shutdown() })
    }
  }

  static func add(
    schedulers classes: [any NoiseSchedulerPlugin.Type], name: String, version: String,
    summary: String
  ) {
    add("scheduler") {
      guard $0.schedulers == nil else { return nil }
      $0.schedulers = SchedulerCatalogue(classes)
      return PluginDescriptor(
        kind: ESP_KIND_SCHEDULER, name: name, version: version, summary: summary,
        api: schedulerTable())
    }
  }

  /// All plugins of the library.
  ///
  /// - Throws: `PluginError` if one kind was registered twice.
  static func plugins() throws(PluginError) -> [PluginDescriptor] {
    let (plugins, duplicate) = state.withLock { ($0.plugins, $0.duplicate) }
    if let duplicate {
      throw PluginError(
        ESP_INTERNAL,
        "this library registers two \(duplicate) plugins; a library holds one of each kind")
    }
    return plugins
  }

  /// The backend, made when it is first asked for.
  static func backend() throws(PluginError) -> BackendCatalogue {
    let found = state.withLock { state -> BackendCatalogue? in
      if state.backend == nil { state.backend = state.backendType.map { BackendCatalogue($0) } }
      return state.backend
    }
    guard let found else { throw .unimplemented("this library has no backend") }
    return found
  }

  static func loggerType() throws(PluginError) -> any MetricLoggerPlugin.Type {
    guard let type = state.withLock({ $0.logger }) else {
      throw .unimplemented("this library has no logger")
    }
    return type
  }

  static var schedulers: SchedulerCatalogue? { state.withLock { $0.schedulers } }

  /// - Parameter plugin: Takes its type down; nil if the library has one of this kind already.
  private static func add(_ kind: String, _ plugin: (inout State) -> PluginDescriptor?) {
    state.withLock { state in
      if let plugin = plugin(&state) {
        state.plugins.append(plugin)
      } else {
        state.duplicate = kind
      }
    }
  }
}
