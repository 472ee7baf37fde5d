import EspalierCheckpoints
import EspalierHost
import EspalierTensors

/// The metric loggers of a run. One that fails is switched off and never stops the run.
final class LoggerSet {
  private let configuration: TrainingConfiguration
  private let registry: PluginRegistry
  private var all: [MetricLogger] = []
  /// Those that were waited for in vain the last time.
  private var slow: Set<String> = []

  init(_ configuration: TrainingConfiguration, _ registry: PluginRegistry) {
    self.configuration = configuration
    self.registry = registry
  }

  /// Opens the loggers that the run names.
  ///
  /// - Parameters:
  ///   - resumeStep: The last step to keep of an earlier part of the run.
  ///   - totalSteps: The step at which the run is done.
  /// - Throws: `PluginError` for a logger that is not there.
  func open(resumeStep: Int?, totalSteps: Int) throws {
    let c = configuration
    if !c.reportTo.isEmpty {
      try Folder.make(c.outputDir + "/" + c.loggingDir)
    }
    var run: [String: JSONValue] = [
      "directory": .string(c.outputDir + "/" + c.loggingDir),
      "project": .string(c.trackerProjectName),
      "config": .object(c.logged),
      "total_steps": .number(totalSteps),
    ]
    run["resume_step"] = resumeStep.map { .number($0) }
    all = try c.reportTo.map { name in
      run["options"] = c.loggerOptions[name]
      return try registry.logger(named: name, run: JSONValue.object(run).text)
    }
  }

  func scalars(step: Int, _ values: [(name: String, value: Double)]) {
    for logger in all { logger.scalars(step: step, values) }
  }

  func images(step: Int, tag: String, _ images: [MetricImage]) {
    for logger in all { logger.images(step: step, tag: tag, images) }
  }

  /// Waits, but not for long, until the loggers have what was recorded: a state that is saved now must not be ahead of
  /// them if the program is killed.
  ///
  /// One that is too slow is hardly waited for again until it has caught up.
  func waitForRecords() {
    let deadline = ContinuousClock.now + .seconds(2)
    for logger in all {
      let seconds = max(0, (deadline - .now) / .seconds(1))
      let isSlow = slow.contains(logger.name)
      if logger.waitForRecords(atMost: isSlow ? min(seconds, 0.05) : seconds) {
        slow.remove(logger.name)
      } else {
        slow.insert(logger.name)
      }
    }
  }

  /// The logger through which somebody asked to end the run, if any.
  var stopRequester: String? { all.first(where: \.isStopRequested)?.name }

  var console: TrainingConsole { TrainingConsole(loggers: all) }

  /// - Parameter exitCode: How the run ended: 0 done, else what the program exits with.
  func close(exitCode: Int32) {
    for logger in all { logger.close(exitCode: exitCode) }
    all = []
  }
}
