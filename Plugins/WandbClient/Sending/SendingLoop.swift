import EspalierPluginKit
import LogFiles

/// What the sender's thread does: create the run, upload images, send lines, say that the run is alive,
/// and try again.
final class SendingLoop {
  private let spool: Spool
  private let plan: RunPlan
  private let server: WandbServer
  private let sender: Sender
  private let log: Sender.Log
  private let uploads: Uploads
  private var delay: RetryDelay
  /// What the server had of the run; asked once.
  private var remote: RemoteRun?
  private var hasAsked = false
  /// Where the run is; nil before the server has it.
  private var place: RunPlace?
  /// The message that is on its way.
  private var message: StreamMessage?
  /// When the last message went out.
  private var lastMessage: Int64?
  /// The user was told that the server cannot be reached.
  private var hasWarned = false

  /// Seconds between two messages at least, also where much waits; servers allow two a second.
  private static let shortestGap = 0.5
  /// Seconds before the next try at most, once the run has ended.
  private static let lastWait = 1.0
  /// So many failures in a row are worth a warning.
  private static let failuresToTell = 3

  init(
    _ spool: Spool, _ plan: RunPlan, _ server: WandbServer, _ sender: Sender,
    _ log: @escaping Sender.Log
  ) {
    self.spool = spool
    self.plan = plan
    self.server = server
    self.sender = sender
    self.log = log
    uploads = Uploads(firstRetry: plan.settings.pace.firstRetry)
    delay = RetryDelay(first: plan.settings.pace.firstRetry)
  }

  /// Sends until the run has ended and everything is there, or the time is over, or the server refuses.
  func run() -> Sender.Outcome {
    while true {
      do {
        let place = try place ?? connect()
        try upload(to: place)
        if try send(to: place) { return .delivered }
        recovered()
        rest()
      } catch let failure as RequestFailure where failure.isTemporary {
        retryLater(failure)
      } catch {
        refuse(error)
        return .refused
      }
      if let ending = sender.ending, HTTPConnection.clock >= ending.deadline { return .outOfTime }
    }
  }

  /// Creates the run, or goes on with it.
  private func connect() throws -> RunPlace {
    let settings = plan.settings
    let entity = settings.entity ?? spool.recordedPlace.entity
    if !hasAsked && plan.mayExist {
      remote = try server.run(plan.runID, project: settings.project, entity: entity)
      try check(remote, settings.resume)
    }
    hasAsked = true
    let isFirstContact = !spool.wasOnline
    let created = try server.upsert(plan.variables(remote, entity: entity))
    try spool.attach(
      created.place, historyLines: created.historyLines ?? remote?.historyLines ?? 0,
      remote: remote)
    place = created.place
    let name = created.displayName ?? plan.runID
    log(
      .info,
      "run '\(name)' \(remote == nil ? "is" : "goes on") at \(server.address.page(of: created.place))"
    )
    if let step = remote?.lastStep, isFirstContact {
      log(.info, "steps up to \(step) are there already and are kept as they are")
    }
    return created.place
  }

  private func check(_ remote: RemoteRun?, _ resume: WandbSettings.Resume?) throws {
    switch (resume, remote) {
    case (.must, nil):
      throw PluginError.invalidArgument(
        "there is no run '\(plan.runID)' in project '\(plan.settings.project)', and WANDB_RESUME is "
          + "must; check WANDB_RUN_ID, WANDB_PROJECT and WANDB_ENTITY, or set WANDB_RESUME=allow")
    case (.never, .some) where spool.recordedPlace.entity == nil:
      throw PluginError.invalidArgument(
        "run '\(plan.runID)' exists in project '\(plan.settings.project)', and WANDB_RESUME is never; "
          + "set another WANDB_RUN_ID, or WANDB_RESUME=allow")
    default: break
    }
  }

  private func upload(to place: RunPlace) throws {
    try uploads.run(
      spool, server, place, longestWait: sender.ending.map { _ in Self.lastWait },
      isDue: { HTTPConnection.clock >= dueTime },
      report: { log(.warning, "\($0); it is kept in \(spool.folder.path)") })
  }

  /// Sends a message if it is time for one.
  ///
  /// - Returns: True if the run has ended and everything is there.
  private func send(to place: RunPlace) throws -> Bool {
    if message == nil && HTTPConnection.clock >= dueTime { message = try nextMessage() }
    guard let message else { return false }
    lastMessage = HTTPConnection.clock
    if try server.stream(message.body, to: place) { sender.requestStop() }
    try spool.acknowledge(message.batch)
    uploads.announced(message.uploaded, spool)
    self.message = nil
    if message.exitCode != nil { return true }
    guard let ending = sender.ending, ending.exitCode == nil else { return false }
    return !spool.hasUnsentLines && uploads.unannounced.isEmpty && !waitsForUploads(ending)
  }

  private func nextMessage() throws -> StreamMessage {
    var message = StreamMessage(batch: try spool.batch(), uploaded: uploads.unannounced)
    if let ending = sender.ending, message.batch.isLast, !waitsForUploads(ending) {
      message.exitCode = ending.exitCode
    }
    return message
  }

  private func waitsForUploads(_ ending: Sender.Ending) -> Bool {
    HTTPConnection.clock < ending.uploadsUntil && !uploads.waiting(in: spool).isEmpty
  }

  /// When the next message goes out, on the clock of `HTTPConnection`.
  private var dueTime: Int64 {
    let pace = plan.settings.pace
    let last = lastMessage ?? 0
    func after(_ seconds: Double) -> Int64 { last + Int64(seconds * 1000) }
    if let ending = sender.ending {
      // Only images are missing: no message before they are there.
      let isIdle = !spool.hasUnsentLines && uploads.unannounced.isEmpty
      let gap = after(min(Self.shortestGap, pace.interval))
      return isIdle && waitsForUploads(ending) ? max(gap, ending.uploadsUntil) : gap
    }
    let hasNews = spool.hasUnsentLines || !uploads.unannounced.isEmpty
    return after(hasNews ? pace.interval : pace.heartbeat)
  }

  /// Waits for what comes next.
  private func rest() {
    sender.listen()
    var time = dueTime
    if !uploads.waiting(in: spool).isEmpty { time = min(time, uploads.nextTry) }
    if let ending = sender.ending { time = min(time, ending.deadline) }
    sender.wait(until: time)
  }

  private func recovered() {
    delay.succeed()
    guard hasWarned else { return }
    hasWarned = false
    log(.info, "the server answers again")
  }

  private func retryLater(_ failure: RequestFailure) {
    var seconds = delay.next(asked: failure.wait)
    if delay.failures == Self.failuresToTell {
      hasWarned = true
      log(
        .warning,
        "\(failure.message); what is recorded is kept in \(spool.folder.path) until the server answers"
      )
    }
    let start = HTTPConnection.clock
    repeat {
      if let ending = sender.ending {
        // What the server asks for is heeded to the end.
        if failure.wait == nil { seconds = min(seconds, Self.lastWait) }
        seconds = min(seconds, Double(ending.deadline - start) / 1000)
      }
      sender.wait(until: start + Int64(seconds * 1000))
    } while HTTPConnection.clock < start + Int64(seconds * 1000)
  }

  /// Tells the user once why nothing more is sent.
  private func refuse(_ error: any Error) {
    var text = (error as? RequestFailure)?.message ?? "\(error)"
    if (error as? RequestFailure)?.isRefusal == true {
      text +=
        "; check WANDB_API_KEY (or netrc), and that WANDB_ENTITY is a user or team that it may use"
    }
    log(
      .warning,
      text + "; nothing more is sent, the training goes on; what is recorded is kept in "
        + "\(spool.folder.path), and is sent when the training is resumed")
  }
}
