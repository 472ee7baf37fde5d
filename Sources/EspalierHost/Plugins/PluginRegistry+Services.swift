import EspalierABI
import Logging

extension PluginRegistry {
  /// A noise scheduler by name, over all scheduler plugins in search order.
  ///
  /// - Parameters:
  ///   - name: `euler`, `EulerDiscreteScheduler`, or `PLUGIN:NAME` as in `standard:euler`.
  ///   - configuration: The JSON text of `scheduler_config.json`.
  /// - Throws: `PluginError`, or `SchedulerError` if the scheduler refuses the configuration.
  public func scheduler(
    named name: String, configuration: String = "{}"
  ) throws -> NoiseScheduler {
    let parts = name.split(separator: ":", maxSplits: 1).map(String.init)
    var available: [String] = []
    let plugins =
      parts.count == 2
      ? [try plugin(.scheduler, named: parts[0])] : openAll(.scheduler)
    for plugin in plugins {
      guard case .scheduler(let api) = plugin.api else { continue }
      let classes = try schedulerClasses(of: plugin, api)
      if let match = classes.first(where: { $0.isCalled(parts.last ?? name) }) {
        Self.logger.debug("scheduler \(match.className) of \(plugin.file)")
        return try NoiseScheduler(match, api: api, configuration: configuration)
      }
      available += classes.map(\.shortName)
    }
    throw unknown(.scheduler, name: name, available: available)
  }

  /// All classes of all scheduler plugins that can be used, in search order.
  public func schedulerClasses() throws(PluginError) -> [SchedulerClass] {
    var classes: [SchedulerClass] = []
    for plugin in openAll(.scheduler) {
      guard case .scheduler(let api) = plugin.api else { continue }
      classes += try schedulerClasses(of: plugin, api)
    }
    return classes
  }

  /// A metric logger by the name of its plugin; it opens in the background.
  ///
  /// - Parameters:
  ///   - name: `csv`, `tensorboard`, …
  ///   - run: JSON with `directory`, `project`, `name` and `config`; no secrets.
  /// - Throws: `PluginError`. What the logger itself fails at is a warning in the log.
  public func logger(named name: String, run: String) throws(PluginError) -> MetricLogger {
    let plugin = try plugin(.logger, named: name)
    guard case .logger(let api) = plugin.api else { throw unknown(.logger, name: name) }
    return MetricLogger(name: plugin.name, api: api, run: run)
  }

  /// A communicator by the name of its plugin, initialised; to be called on the main thread before
  /// all other plugins are opened.
  ///
  /// - Throws: `PluginError`, `CommunicatorError`.
  public func communicator(named name: String) throws -> Communicator {
    let plugin = try plugin(.communicator, named: name)
    guard case .communicator(let api) = plugin.api else {
      throw unknown(.communicator, name: name)
    }
    return try Communicator(name: plugin.name, api: api)
  }

  /// All plugins of a kind that can be used; the others are passed over with a warning.
  private func openAll(_ kind: PluginKind) -> [LoadedPlugin] {
    loader.usable(kind).compactMap { file in
      do {
        return try loader.open(file)
      } catch {
        Self.logger.warning("\(error)")
        return nil
      }
    }
  }

  private func schedulerClasses(
    of plugin: LoadedPlugin, _ api: UnsafePointer<esp_scheduler_api>
  ) throws(PluginError) -> [SchedulerClass] {
    do {
      return try SchedulerClass.all(of: api, plugin: plugin.name)
    } catch {
      throw .refused(file: plugin.file, error)
    }
  }
}
