/// Measures an operation and the peak by turns, each for about as long: what disturbs one disturbs the other.
struct Duel {
  let peak: PeakLoop
  let rounds: Int
  let seconds: Double
  /// By the device's own clock, not by the host's.
  let usesDeviceTime: Bool

  /// Medians over the rounds.
  struct Result {
    /// GFLOP/s.
    let speed: Double
    let milliseconds: Double
    /// GFLOP/s of the peak loop.
    let peak: Double
    /// GFLOP that the peak loop does in a second of one core.
    let cpuPeak: Double
    /// The speed over the peak's.
    let share: Double
    /// The same in processor time.
    let cpuShare: Double
  }

  /// - Throws: `BackendFailure`, `PluginError`.
  func measure(_ run: OperationRun, _ operations: Double) throws -> Result {
    try run.execute()
    let single = try timed(run, times: 1, operations)
    let times = max(1, Int(seconds / max(single.seconds, 1e-6)))
    var results: [(speed: Speed, peak: Speed)] = []
    for _ in 0..<rounds {
      let limit = try peak.measure(seconds: max(seconds, min(single.seconds * Double(times), 1)))
      results.append((try timed(run, times: times, operations), limit))
    }
    let speed = Self.median(results.map(\.speed.perSecond))
    return Result(
      speed: speed, milliseconds: operations / speed / 1e6,
      peak: Self.median(results.map(\.peak.perSecond)),
      cpuPeak: Self.median(results.map(\.peak.perCPUSecond)),
      share: Self.median(results.map { $0.speed.perSecond / $0.peak.perSecond }),
      cpuShare: Self.median(results.map { $0.speed.perCPUSecond / $0.peak.perCPUSecond }))
  }

  private func timed(
    _ run: OperationRun, times: Int, _ operations: Double
  ) throws -> Speed {
    let start = Stopwatch()
    var deviceSeconds = 0.0
    for _ in 0..<times {
      if usesDeviceTime {
        deviceSeconds += try run.deviceSeconds()
      } else {
        try run.execute()
      }
    }
    let speed = start.speed(operations * Double(times))
    return deviceSeconds > 0
      ? Speed(
        operations: speed.operations, seconds: deviceSeconds, cpuSeconds: speed.cpuSeconds)
      : speed
  }

  static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    let half = sorted.count / 2
    guard let middle = sorted.dropFirst(half).first else { return .nan }
    return sorted.count % 2 == 1 ? middle : (sorted[half - 1] + middle) / 2
  }
}
