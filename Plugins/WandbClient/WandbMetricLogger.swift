public import EspalierPluginKit

/// The metric logger `wandb`: a run on a Weights & Biases server, or a folder that `wandb sync` uploads.
public final class WandbMetricLogger: MetricLoggerPlugin {
  public static let name = "wandb"
  public static let version = "1.0.0"
  public static let summary = "Weights & Biases, online or as files for 'wandb sync'"
  public static let options = WandbOptions.all

  /// Nil if the logger is switched off (`WANDB_MODE=disabled`).
  private let session: RunSession?

  public convenience init(_ run: LoggerRun) throws(PluginError) {
    try self.init(
      RunFacts(
        directory: run.directory, project: run.project, name: run.name, config: run.config.members,
        resumeStep: run.resumeStep),
      options: run.options, environment: .process
    ) { level, message in HostServices.current?.log(level, "wandb", "wandb: " + message) }
  }

  /// - Throws: `PluginError` for settings that are wrong, a missing key, or a folder that cannot be written.
  package init(
    _ run: RunFacts, options: PluginSettings, environment: Environment,
    log: @escaping Sender.Log
  ) throws(PluginError) {
    let settings = try WandbSettings(
      project: run.project, name: run.name, options: options, environment: environment)
    session =
      settings.mode == .disabled ? nil : try RunSession(run, settings, environment, log: log)
  }

  public func scalars(
    step: Int64, _ values: [(name: String, value: Double)]
  ) throws(PluginError) {
    try session?.record(step: step, values.map { ($0.name, .number($0.value)) })
  }

  public func images(step: Int64, tag: String, _ images: [LoggedImage]) throws(PluginError) {
    try session?.record(step: step, tag: tag, images)
  }

  public func text(step: Int64, tag: String, text: String) throws(PluginError) {
    // The server takes lines of up to 10 MB.
    try session?.record(step: step, [(tag, .string(String(text.prefix(1 << 20))))])
  }

  public func console(_ stream: ConsoleStream, line: String) throws(PluginError) {
    try session?.console(stream, line)
  }

  public func flush() throws(PluginError) { try session?.flush() }

  public func finish(exitCode: Int32) throws(PluginError) { session?.exitCode = exitCode }

  public func close() throws(PluginError) {
    try session?.close { HostServices.current?.isCancelled ?? false }
  }

  public var isStopRequested: Bool { session?.isStopRequested ?? false }
}
