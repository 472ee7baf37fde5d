package import EspalierPluginKit

/// What a run is called, where it goes, and how fast: from the user's options, else the environment, else
/// the host.
package struct WandbSettings: Sendable {
  package enum Mode: Sendable { case online, offline, disabled }

  /// What to do if the server has a run of this id.
  package enum Resume: String, Sendable, CaseIterable { case allow, must, never }

  package var mode: Mode
  package var project: String
  /// Nil: the key's own.
  package var entity: String?
  package var name: String?
  package var group: String?
  package var jobType: String?
  /// Nil: none are given, and those of a run that goes on stay.
  package var tags: [String]?
  package var notes: String?
  /// Nil: that of the training that goes on, or a new one.
  package var runID: String?
  /// Nil: not said, as `allow`.
  package var resume: Resume?
  package var baseURL: String
  package var appURL: String?
  /// Where the folder `wandb` is kept; nil: in the run's own folder.
  package var directory: String?
  package var sendsConsole: Bool
  package var pace: Pace
  /// Bytes of images that may wait.
  package var mostMediaBytes: Int

  /// Seconds; see `WandbOptions`.
  package struct Pace: Sendable {
    package var interval: Double
    package var firstRetry: Double
    package var finish: Double
    /// Without a request for this long, a server takes a run for crashed.
    package var heartbeat = 30.0

    package init(interval: Double, firstRetry: Double, finish: Double) {
      (self.interval, self.firstRetry, self.finish) = (interval, firstRetry, finish)
    }
  }

  /// - Parameters:
  ///   - project, name: The host's, for want of others.
  ///   - options: The user's.
  /// - Throws: `PluginError` that names a setting which the protocol does not allow.
  package init(
    project: String, name: String?, options: PluginSettings, environment: Environment
  ) throws(PluginError) {
    let source = Source(options: options, environment: environment)
    mode = try Self.mode(source)
    self.project = try source.text(WandbOptions.project, "WANDB_PROJECT") ?? project
    entity = try source.text(WandbOptions.entity, "WANDB_ENTITY")
    self.name = try source.text(WandbOptions.name, "WANDB_NAME") ?? name
    group = try source.text(WandbOptions.group, "WANDB_RUN_GROUP")
    jobType = try source.text(WandbOptions.jobType, "WANDB_JOB_TYPE")
    let list = try source.text(WandbOptions.tags, "WANDB_TAGS")
    tags = list?.split(separator: ",").map { trimmed($0) }.filter { !$0.isEmpty }
    notes = try source.text(WandbOptions.notes, "WANDB_NOTES")
    runID = try source.text(WandbOptions.runID, "WANDB_RUN_ID")
    resume = try Self.resume(source)
    baseURL = try source.text(WandbOptions.baseURL, "WANDB_BASE_URL") ?? ServerAddress.standard
    appURL = environment["WANDB_APP_URL"]
    directory = try source.text(WandbOptions.directory, "WANDB_DIR")
    sendsConsole = try options.value(of: WandbOptions.console)
    pace = Pace(
      interval: try options.value(of: WandbOptions.interval),
      firstRetry: try options.value(of: WandbOptions.retry),
      finish: try options.value(of: WandbOptions.finish))
    mostMediaBytes = try options.value(of: WandbOptions.spool) << 20
    try check()
  }

  private struct Source {
    let options: PluginSettings
    let environment: Environment

    /// The option's text, else the variable's; an empty option is none.
    func text(
      _ option: PluginOption<String?>, _ variable: String
    ) throws(PluginError) -> String? {
      let chosen = try options.value(of: option) ?? ""
      return chosen.isEmpty ? environment[variable] : chosen
    }
  }

  private static func mode(_ source: Source) throws(PluginError) -> Mode {
    switch try source.text(WandbOptions.mode, "WANDB_MODE") {
    case "online", "run": return .online
    case "offline", "dryrun": return .offline
    case "disabled": return .disabled
    case nil:
      let isDisabled = ["true", "1"].contains(source.environment["WANDB_DISABLED"]?.lowercased())
      return isDisabled ? .disabled : .online
    case .some(let found):
      throw refuse("the mode", found, "online, offline or disabled")
    }
  }

  private static func resume(_ source: Source) throws(PluginError) -> Resume? {
    guard let text = try source.text(WandbOptions.resume, "WANDB_RESUME") else { return nil }
    // The official client's words for a run that finds its id by itself, as a resumed training does here.
    if ["auto", "true", "1"].contains(text.lowercased()) { return .allow }
    guard let resume = Resume(rawValue: text) else {
      throw refuse("'resume'", text, "allow, must or never")
    }
    return resume
  }

  private func check() throws(PluginError) {
    if let runID { try RunID.check(runID) }
    guard !project.isEmpty, project.count <= 128,
      !project.contains(where: { "/\\#?%:".contains($0) })
    else {
      throw Self.refuse(
        "the project", project, #"1 to 128 characters without / \ # ? % :"#)
    }
    for tag in tags ?? [] where tag.count > 64 {
      throw Self.refuse("a tag", tag, "1 to 64 characters")
    }
  }

  static func refuse(_ what: String, _ found: String, _ allowed: String) -> PluginError {
    .invalidArgument("wandb logger: \(what) is '\(found)'; allowed: \(allowed)")
  }
}
