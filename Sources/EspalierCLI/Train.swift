import ArgumentParser
import Espalier

/// `espalier train`: trains a T2I-Adapter; the flags are those of Diffusers' script.
struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a T2I-Adapter for a Stable Diffusion XL model.",
    discussion: """
      Takes every flag of Diffusers' train_t2i_adapter_sdxl.py, by its name and with its default. Images and \
      captions come from a folder with metadata.jsonl, metadata.csv or prompt.json.
      """)

  @OptionGroup(title: "Models") var models: TrainModelOptions
  @OptionGroup(title: "Data") var data: TrainDataOptions
  @OptionGroup(title: "Run") var runOptions: TrainRunOptions
  @OptionGroup(title: "Optimizer") var optimizer: TrainOptimizerOptions
  @OptionGroup(title: "Logging and validation") var logging: TrainLoggingOptions
  @OptionGroup(title: "Accepted, without effect") var inert: TrainInertOptions
  @OptionGroup(title: "Plugins") var plugins: PluginOptions

  mutating func validate() throws {
    do throws(TrainingError) {
      try settings().validate()
    } catch {
      throw ValidationError("\(error)")
    }
    try logging.checkSecrets(hubToken: inert.hubToken)
  }

  func run() throws {
    let registry = try plugins.registry()
    defer { registry.shutdown() }
    for notice in inert.notices { StandardError.write("note: " + notice) }
    try logging.profile.map(GenerateFiles.checkParent)
    let progress = TrainProgress(profile: logging.profile)
    let trainer = try trainer(registry, observer: progress)
    let summary: TrainingSummary
    do {
      summary = try trainer.run()
    } catch TrainingError.interrupted {
      progress.note("\(TrainingError.interrupted)")
      throw ExitCode(StopSignal.exitCode)
    } catch  where StopSignal.count > 1 {
      progress.note("stopped at once")
      throw ExitCode(StopSignal.exitCode)
    }
    progress.finish(summary)
    if summary.isInterrupted { throw ExitCode(StopSignal.exitCode) }
  }

  /// Everything that the flags choose, nothing run yet.
  func trainer(
    _ registry: PluginRegistry, observer: (any TrainingObserver)? = nil
  ) throws -> AdapterTrainer {
    var settings = settings()
    settings.reportTo = try logging.loggers(in: registry)
    settings.loggerOptions = try registry.loggerOptions(
      logging.loggerAssignments, for: settings.reportTo)
    let choice = try registry.backend(named: runOptions.backend)
    return try AdapterTrainer(
      settings, registry: registry, device: try runOptions.backendOptions.open(choice),
      observer: observer)
  }

  /// The flags as a configuration.
  private func settings() -> TrainingConfiguration {
    var configuration = TrainingConfiguration()
    models.apply(to: &configuration)
    data.apply(to: &configuration)
    runOptions.apply(to: &configuration)
    optimizer.apply(to: &configuration)
    logging.apply(to: &configuration)
    return configuration
  }
}
