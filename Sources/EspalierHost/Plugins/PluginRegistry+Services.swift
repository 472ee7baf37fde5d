import EspalierABI
public import EspalierText
import Logging

extension PluginRegistry {
  /// A noise scheduler by name, over all scheduler plugins in search order.
  ///
  /// What a short name stands for beside its class replaces keys of the configuration, and a user's
  /// options replace both.
  ///
  /// - Parameters:
  ///   - name: `euler`, `EulerDiscreteScheduler`, or `PLUGIN:NAME` as in `standard:euler`.
  ///   - configuration: The JSON text of `scheduler_config.json`.
  ///   - options: What the user sets.
  /// - Throws: `PluginError`, `OptionError`, or `SchedulerError` if the scheduler refuses the
  ///   configuration.
  public func scheduler(
    named name: String, configuration: String = "{}", options: [OptionAssignment] = []
  ) throws -> NoiseScheduler {
    let parts = name.split(separator: ":", maxSplits: 1).map(String.init)
    let wanted = parts.last ?? name
    var available: [String] = []
    let plugins =
      parts.count == 2
      ? [try plugin(.scheduler, named: parts[0])] : openAll(.scheduler)
    for plugin in plugins {
      guard case .scheduler(let api, let classes) = plugin.api else { continue }
      if let match = classes.first(where: { $0.isCalled(wanted) }) {
        Self.logger.debug("scheduler \(match.className) of \(plugin.file)")
        let set = try OptionOwner.settle(
          options, kind: .scheduler, among: [match.optionOwner])[0]
        let preset = wanted == match.shortName ? match.preset : []
        return try NoiseScheduler(
          match, api: api, configuration: configuration, replacing: preset.replacing(set))
      }
      available += classes.map(\.shortName)
    }
    throw unknown(.scheduler, name: name, available: available)
  }

  /// All classes of all scheduler plugins that can be used, in search order.
  public func schedulerClasses() -> [SchedulerClass] {
    openAll(.scheduler).flatMap { plugin -> [SchedulerClass] in
      guard case .scheduler(_, let classes) = plugin.api else { return [] }
      return classes
    }
  }

  /// A metric logger by the name of its plugin; it opens in the background.
  ///
  /// - Parameters:
  ///   - name: `csv`, `tensorboard`, …
  ///   - run: JSON with `directory`, `project`, `name`, `config` and `options`; no secrets.
  /// - Throws: `PluginError`. What the logger itself fails at is a warning in the log.
  public func logger(named name: String, run: String) throws(PluginError) -> MetricLogger {
    let plugin = try plugin(.logger, named: name)
    guard case .logger(let api) = plugin.api else { throw unknown(.logger, name: name) }
    return MetricLogger(name: plugin.name, api: api, run: run)
  }

  /// The names of the loggers that can be used; the others are passed over with a warning.
  public func usableLoggers() -> [String] { openAll(.logger).map(\.name).sorted() }

  /// A user's options, checked against what the loggers describe.
  ///
  /// - Parameter names: The loggers of the run.
  /// - Returns: By logger, an object for `options` in its run's JSON.
  /// - Throws: `PluginError` for a logger that cannot be used, `OptionError`.
  public func loggerOptions(
    _ assignments: [OptionAssignment], for names: [String]
  ) throws -> [String: JSONValue] {
    let owners = try names.map { try plugin(.logger, named: $0).optionOwner }
    let settled = try OptionOwner.settle(assignments, kind: .logger, among: owners)
    return Dictionary(zip(names, settled.map { .object($0) })) { first, _ in first }
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
}
