import CEspalierRuntime

/// SIGINT and SIGTERM as a request to stop after the current step; a second one stops at once.
enum StopSignal {
  /// Starts to listen; safe to call again.
  static func install() { espalier_catch_stop_signals() }

  /// How often the user asked to stop.
  static var count: Int { Int(espalier_stop_signals()) }
}
