import CEspalierRuntime
import Glibc

/// SIGINT and SIGTERM as a request to stop after the current step; a second one stops at once.
public enum StopSignal {
  /// Starts to listen; safe to call again.
  public static func install() { espalier_catch_stop_signals() }

  /// How often the user asked to stop.
  public static var count: Int { Int(espalier_stop_signals()) }

  /// What a program exits with that was stopped, by the shells' convention: 128 and the signal, that of
  /// Ctrl-C where it was asked otherwise.
  public static var exitCode: Int32 {
    let signal = espalier_last_stop_signal()
    return 128 + (signal == 0 ? SIGINT : signal)
  }
}
