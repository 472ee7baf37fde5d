import Glibc

/// Elapsed time and the process's processor time since its creation.
struct Stopwatch {
  private let elapsed = Self.now(CLOCK_MONOTONIC)
  private let processor = Self.now(CLOCK_PROCESS_CPUTIME_ID)

  /// The speed of this many floating-point operations since then.
  func speed(_ operations: Double) -> Speed {
    Speed(
      operations: operations, seconds: Self.now(CLOCK_MONOTONIC) - elapsed,
      cpuSeconds: Self.now(CLOCK_PROCESS_CPUTIME_ID) - processor)
  }

  private static func now(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}

/// How many floating-point operations took how long.
struct Speed {
  let operations: Double
  let seconds: Double
  /// Of all threads together; on a CPU driver it tells the speed even on a machine that is not idle.
  let cpuSeconds: Double

  /// GFLOP/s.
  var perSecond: Double { operations / seconds / 1e9 }
  /// GFLOP in a second of one core.
  var perCPUSecond: Double { operations / cpuSeconds / 1e9 }
}
