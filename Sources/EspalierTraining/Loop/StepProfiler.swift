import EspalierHost

/// Times the operations of the first steps of a run, a fixed number, so that a profile stays small. The very first step is
/// left out where there are others: it also makes what later steps find ready.
struct StepProfiler {
  private var warmUpSteps: Int
  private var stepsLeft: Int
  private var profile: ExecutionProfile?

  /// - Parameters:
  ///   - steps: How many to time; 0 for none.
  ///   - total: Steps of the whole run.
  init(steps: Int, of total: Int) {
    warmUpSteps = total > 1 ? 1 : 0
    stepsLeft = min(steps, total - warmUpSteps)
  }

  /// What the step that begins records its times in; nil if it is not timed.
  mutating func begin() -> ExecutionProfile? {
    if warmUpSteps > 0 {
      warmUpSteps -= 1
      return nil
    }
    guard stepsLeft > 0 else { return nil }
    stepsLeft -= 1
    profile = profile ?? ExecutionProfile()
    return profile
  }

  /// The profile, once, when all its steps are done.
  ///
  /// - Parameter isLast: True if no step follows, so that what there is has to do.
  mutating func finished(isLast: Bool) -> ExecutionProfile? {
    guard stepsLeft == 0 || isLast else { return nil }
    defer { profile = nil }
    return profile
  }
}
