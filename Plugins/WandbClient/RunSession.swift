import EspalierABI
package import EspalierPluginKit
import LogFiles

/// What the host tells about a run.
package struct RunFacts: Sendable {
  let directory: String
  let project: String
  let name: String?
  let config: [String: JSONValue]
  /// The last step that is kept of an earlier session; nil: a new run.
  let resumeStep: Int64?

  package init(
    directory: String, project: String, name: String? = nil, config: [String: JSONValue] = [:],
    resumeStep: Int64? = nil
  ) {
    self.directory = directory
    self.project = project
    self.name = name
    self.config = config
    self.resumeStep = resumeStep
  }
}

/// A run from its start, or from where a training goes on, to its end. Calls come one after the other.
final class RunSession {
  /// Where what is recorded goes.
  private enum Way {
    case online(Sender)
    /// A file for `wandb sync`.
    case offline(OfflineFile)
    /// Kept for a later session that is online.
    case kept
  }

  private let spool: Spool
  private let way: Way
  private let settings: WandbSettings
  private let log: Sender.Log
  /// How the run ended; nil if nobody has said.
  var exitCode: Int32?
  /// The user was told that images are left out.
  private var hasWarned = false

  /// More images of one key are not shown by the server.
  private static let mostImages = 108

  init(
    _ run: RunFacts, _ settings: WandbSettings, _ environment: Environment,
    log: @escaping Sender.Log
  ) throws(PluginError) {
    self.settings = settings
    self.log = log
    // What stops a run from being sent is told before anything is written.
    var access: (ServerAddress, APIKey)?
    if settings.mode == .online {
      let address = try ServerAddress(settings.baseURL, app: settings.appURL)
      access = (address, try APIKey.find(for: address, environment))
    }
    let place = try RunFolder(run, settings)
    let earlier = try place.earlier.map { folder throws(PluginError) in
      try Spool(folder, runID: place.runID)
    }
    spool = try Spool(
      place.folder, runID: place.runID, mostMediaBytes: settings.mostMediaBytes, after: earlier)
    let plan = RunPlan(
      settings: settings, runID: place.runID, config: run.config, mayExist: !place.isNew)
    if let (address, key) = access {
      way = .online(try Sender(spool, plan: plan, address: address, key: key, log: log))
    } else if spool.wasOnline {
      way = .kept
      log(
        .info,
        "offline: run '\(plan.runID)' has begun on a server; what is recorded is kept in "
          + "\(spool.folder.path) and is sent when the training is resumed with WANDB_MODE=online")
    } else {
      way = .offline(try OfflineFile(spool, plan))
      log(.info, "offline: 'wandb sync \(spool.folder.path)' uploads the run")
    }
    if place.isContinued, let step = spool.lastStep, step > run.resumeStep ?? step {
      log(.info, "steps up to \(step) are recorded already and are kept as they are")
    }
  }

  func record(step: Int64, _ values: [(key: String, value: JSONValue)]) throws(PluginError) {
    guard !values.isEmpty else { return }
    try take(try spool.record(step: step, values))
  }

  /// Records the images of a step and tag as files, and their names in the step's row.
  func record(step: Int64, tag: String, _ images: [LoggedImage]) throws(PluginError) {
    guard let first = images.first, spool.accepts(step: step) else { return }
    var names: [String] = []
    var captions: [JSONValue] = []
    for (index, image) in images.prefix(Self.mostImages).enumerated() {
      let file = try PNGImage(image, tag: tag, step: step, index: index)
      guard try spool.addMedia(file.name, file.bytes) else { break }
      names.append(file.name)
      captions.append(image.caption.isEmpty ? .null : .string(image.caption))
    }
    if names.count < images.count && !hasWarned {
      hasWarned = true
      log(
        .warning,
        "images are left out: at most \(Self.mostImages) of one kind, and no more than "
          + "\(settings.mostMediaBytes >> 20) MiB that wait for the server")
    }
    guard !names.isEmpty else { return }
    var media: [String: JSONValue] = [
      "_type": .string("images/separated"), "format": .string("png"),
      "width": .number(Double(first.width)), "height": .number(Double(first.height)),
      "count": .number(Double(names.count)), "filenames": .array(names.map { .string($0) }),
    ]
    if captions.first != .null { media["captions"] = .array(captions) }
    try record(step: step, [(tag, .object(media))])
  }

  func console(_ stream: ConsoleStream, _ line: String) throws(PluginError) {
    guard settings.sendsConsole else { return }
    let line = ConsoleLine.text(stream, line)
    try spool.appendOutput(line)
    switch way {
    case .online(let sender): sender.nudge()
    case .offline(let file): try file.write(console: line)
    case .kept: break
    }
  }

  func flush() throws(PluginError) {
    try spool.sync()
    if case .offline(let file) = way { try file.sync() }
  }

  /// Ends the run. What cannot be sent in time stays on the disk.
  ///
  /// - Parameter isCancelled: True if the user wants to wait no longer.
  func close(isCancelled: () -> Bool) throws(PluginError) {
    var failure: PluginError?
    do throws(PluginError) {
      try take(try spool.closeRow())
      try flush()
      if case .offline(let file) = way, let exitCode {
        try file.finish(exitCode: exitCode, runtime: spool.runtime, summary: spool.summary)
      }
    } catch { failure = error }
    // The sender ends whatever became of the files.
    if case .online(let sender) = way {
      let outcome = sender.finish(
        exitCode: exitCode, within: settings.pace.finish, isCancelled: isCancelled)
      if outcome == .outOfTime { tellWhatIsLeft() }
    }
    if let failure { throw failure }
  }

  var isStopRequested: Bool {
    if case .online(let sender) = way { sender.isStopRequested } else { false }
  }

  /// A row that takes no more values goes on its way.
  private func take(_ row: HistoryRow?) throws(PluginError) {
    guard let row else { return }
    switch way {
    case .online(let sender): sender.nudge()
    case .offline(let file): try file.append(row, spool.summary)
    case .kept: break
    }
  }

  private func tellWhatIsLeft() {
    let (rows, images) = spool.unsent
    let what =
      rows == 0 && images == 0
      ? "the server has not confirmed the end of run '\(spool.runID)'"
      : "\(rows) rows and \(images) images of run '\(spool.runID)' are not sent yet"
    log(
      .warning,
      "\(what); everything is kept in \(spool.folder.path), and is sent when the same training is "
        + "started again with --resume_from_checkpoint latest")
  }
}
