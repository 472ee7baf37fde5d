/// How often a piece of work is done: warmed up, then as often as there is time for.
///
/// PyTorch's script follows the same plan.
package struct RepetitionPlan {
  /// For the repetitions that count.
  package let seconds: Double
  /// The most that count.
  package let most: Int
  /// Those that count.
  package private(set) var timings: [Timing] = []
  private var warmUps = 0
  private var warmUpSeconds = 0.0
  private var isWarm = false

  /// The time of one repetition in milliseconds.
  package struct Timing {
    package let elapsed: Double
    /// Of all threads together.
    package let processor: Double

    package init(elapsed: Double, processor: Double) {
      self.elapsed = elapsed
      self.processor = processor
    }
  }

  package init(seconds: Double, most: Int) {
    self.seconds = seconds
    self.most = most
  }

  /// Warm-ups at most, and the share of `seconds` that is spent on them.
  private static let (mostWarmUps, warmUpShare) = (3, 0.2)

  /// True when nothing more is to be done: the time is over and there are two, from which a median can be made.
  package var isDone: Bool {
    let spent = timings.reduce(0) { $0 + $1.elapsed } / 1e3
    return timings.count >= most || (timings.count >= 2 && spent >= seconds)
  }

  /// Takes the next repetition. A first one that alone needs all the time counts.
  package mutating func add(_ timing: Timing) {
    if isWarm {
      timings.append(timing)
      return
    }
    warmUps += 1
    warmUpSeconds += timing.elapsed / 1e3
    if warmUps == 1 && warmUpSeconds > seconds {
      isWarm = true
      timings.append(timing)
    } else {
      isWarm = warmUps == Self.mostWarmUps || warmUpSeconds >= Self.warmUpShare * seconds
    }
  }
}
