import EspalierPluginKit
import LogFiles
import PluginPNG

/// Event files for TensorBoard: scalars, pictures, texts, and the run's settings as text and as
/// hyperparameters.
///
/// A run is a folder inside the one that the host names: its project's name, as Accelerate does, or the
/// option `run_name`. A run that goes on adds a file, which tells readers to drop what an earlier one holds
/// of the steps that come again. A new run moves an earlier folder aside to `NAME.1`, `NAME.2`, …
final class TensorBoardMetricLogger: MetricLoggerPlugin {
  static let name = "tensorboard"
  static let version = "1.0.0"
  static let summary = "Event files for TensorBoard: metrics, pictures, texts, hyperparameters"
  static let runName = PluginOption.string(
    "run_name",
    "The run's folder inside the logs, and its name in TensorBoard; default: the project's name")
  static let options: [any DescribedOption] = [runName]

  private let events: EventFile
  private let settings: RunSettings
  private let startTime = Clock.now
  private var lastStep: Int64
  private var hasHyperparameters = false

  init(_ run: LoggerRun) throws(PluginError) {
    let directory = try LogFolder(run.directory, owner: "tensorboard logger")
    let name = Self.folderName(try run.options.value(of: Self.runName) ?? run.project)
    if run.resumeStep == nil, try Self.holdsEvents(directory, name) {
      try directory.moveAside([name]) { name, number in "\(name).\(number)" }
    }
    lastStep = run.resumeStep.map { $0 + 1 } ?? 0
    events = try EventFile(directory.folder(name), firstStep: lastStep)
    settings = RunSettings(run.config)
    try events.write(step: lastStep, [("config/text_summary", .text(settings.table))])
  }

  func scalars(
    step: Int64, _ values: [(name: String, value: Double)]
  ) throws(PluginError) {
    if !hasHyperparameters {
      hasHyperparameters = true
      try events.write(
        step: step,
        [
          (
            "_hparams_/experiment",
            .hyperparameters(settings.experiment(metrics: values.map(\.name)))
          ),
          ("_hparams_/session_start_info", .hyperparameters(settings.start(time: startTime))),
        ])
    }
    lastStep = step
    try events.write(step: step, values.map { ($0.name, .scalar($0.value)) })
  }

  func images(step: Int64, tag: String, _ images: [LoggedImage]) throws(PluginError) {
    guard !images.isEmpty else { return }
    // TensorBoard shows pictures of one size under a tag; those of another go beside them.
    var groups: [(first: LoggedImage, images: [LoggedImage])] = []
    for image in images {
      let index = groups.firstIndex { group in
        group.first.width == image.width && group.first.height == image.height
      }
      if let index { groups[index].images.append(image) } else { groups.append((image, [image])) }
    }
    for (first, images) in groups {
      let files = try images.map { image throws(PluginError) in try PNGFile.encode(image) }
      let captions = images.enumerated().map { "\($0). \($1.caption)" }
      let value = SummaryValue.images(
        width: first.width, height: first.height, files: files,
        description: captions.joined(separator: "\n"))
      let suffix = groups.count == 1 ? "" : "/\(first.width)x\(first.height)"
      try events.write(step: step, [(tag + suffix, value)])
    }
  }

  func text(step: Int64, tag: String, text: String) throws(PluginError) {
    try events.write(step: step, [(tag, .text(text))])
  }

  func flush() throws(PluginError) { try events.sync() }

  /// Of the ends of a run only success is recorded: TensorBoard keeps the first end that it finds, and a run
  /// that failed or was interrupted may go on.
  func finish(exitCode: Int32) throws(PluginError) {
    guard exitCode == 0, hasHyperparameters else { return }
    try events.write(
      step: lastStep,
      [("_hparams_/session_end_info", .hyperparameters(RunSettings.success(time: Clock.now)))])
  }

  func close() throws(PluginError) { try events.sync() }

  /// A name without separators, that names a folder inside.
  private static func folderName(_ name: String) -> String {
    let safe = String(name.map { $0 == "/" || $0 == "\0" ? "_" : $0 })
    return safe.isEmpty || safe == "." || safe == ".." ? "run" : safe
  }

  private static func holdsEvents(
    _ directory: LogFolder, _ name: String
  ) throws(PluginError) -> Bool {
    guard directory.contains(name + "/.") else { return false }
    return try directory.folder(name).names().contains { $0.hasPrefix(EventFile.prefix) }
  }
}
