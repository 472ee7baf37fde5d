import Dispatch
package import EspalierPluginKit
import Synchronization

/// Sends what a spool holds to a server, from a thread of its own, for as long as it takes.
///
/// Nothing here ever waits for the server but that thread.
package final class Sender: Sendable {
  /// Shows a message to the user.
  package typealias Log = @Sendable (HostServices.Level, String) -> Void

  /// What has been asked of the thread.
  struct Ending {
    /// How the run ended; nil if nobody knows, so that the server is not told either.
    let exitCode: Int32?
    /// Times of the clock of `HTTPConnection`: when to give up, and when to end without missing images.
    var deadline: Int64
    var uploadsUntil: Int64
  }

  /// How sending ended.
  package enum Outcome: Sendable { case delivered, outOfTime, refused }

  private struct Shared {
    var ending: Ending?
    var isNudged = false
    var isStopRequested = false
    var outcome = Outcome.outOfTime
  }

  private let connection: HTTPConnection
  private let shared = Mutex(Shared())
  private let wake = DispatchSemaphore(value: 0)
  private let done = DispatchSemaphore(value: 0)

  /// Starts to send.
  ///
  /// - Throws: `PluginError` if there is no memory for a connection.
  package init(
    _ spool: Spool, plan: RunPlan, address: ServerAddress, key: APIKey, log: @escaping Log
  ) throws(PluginError) {
    connection = try HTTPConnection()
    let server = WandbServer(address: address, key: key, connection: connection)
    DispatchQueue(label: "espalier.logger.wandb.sender").async { [self] in
      let outcome = SendingLoop(spool, plan, server, self, log).run()
      shared.withLock { $0.outcome = outcome }
      done.signal()
    }
  }

  /// True once somebody pressed Stop.
  package var isStopRequested: Bool { shared.withLock { $0.isStopRequested } }

  /// Says that there is something new to send.
  package func nudge() {
    let isFirst = shared.withLock { shared in
      defer { shared.isNudged = true }
      return !shared.isNudged
    }
    if isFirst { wake.signal() }
  }

  /// Sends what is left, and the end.
  ///
  /// - Parameters:
  ///   - exitCode: How the run ended; nil if nobody knows.
  ///   - seconds: How long to try.
  ///   - isCancelled: True if the user wants to wait no longer.
  package func finish(
    exitCode: Int32?, within seconds: Double, isCancelled: () -> Bool
  ) -> Outcome {
    var limit = HTTPConnection.clock + Int64(seconds * 1000)
    end(exitCode, limit, uploadsUntil: limit - Int64(seconds * 300))
    var isShortened = false
    // A second more, in which a request that is under way notices.
    while HTTPConnection.clock < limit + 1500 {
      if done.wait(timeout: .now() + 0.1) == .success { return shared.withLock { $0.outcome } }
      if !isShortened && isCancelled() {
        isShortened = true
        limit = min(limit, HTTPConnection.clock + 1000)
        end(exitCode, limit, uploadsUntil: HTTPConnection.clock)
      }
    }
    return .outOfTime
  }

  private func end(_ exitCode: Int32?, _ deadline: Int64, uploadsUntil: Int64) {
    connection.setDeadline(deadline)
    shared.withLock {
      $0.ending = Ending(exitCode: exitCode, deadline: deadline, uploadsUntil: uploadsUntil)
    }
    wake.signal()
  }

  // MARK: The thread's side

  var ending: Ending? { shared.withLock { $0.ending } }

  func requestStop() { shared.withLock { $0.isStopRequested = true } }

  /// From now on new lines end a wait; to be called before the thread looks at what there is.
  func listen() { shared.withLock { $0.isNudged = false } }

  /// Waits until a time of the clock, or until there is a reason to look again.
  func wait(until time: Int64) {
    let milliseconds = min(max(time - HTTPConnection.clock, 0), 3_600_000)
    _ = wake.wait(timeout: .now() + .milliseconds(Int(milliseconds)))
  }
}
