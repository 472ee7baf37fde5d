/// What went wrong in a noise scheduler.
public enum SchedulerError: Error, Equatable {
  /// A function of the scheduler returned an error.
  case failed(scheduler: String, operation: String, CallFailure)
  /// The scheduler returned something not finite from finite input.
  case notFinite(scheduler: String, operation: String, index: Int, value: String)
  /// What was given to the scheduler is not finite already.
  case inputNotFinite(scheduler: String, operation: String, input: String, index: Int)
  /// Arrays of one call have different lengths.
  case counts(scheduler: String, operation: String, input: String, expected: Int, found: Int)
  /// The scheduler needs noise for this step and got none.
  case missingNoise(scheduler: String, operation: String)
  /// The configuration cannot be read, so nothing can be replaced in it.
  case configuration(scheduler: String, detail: String)
  /// The schedule has fewer model calls than steps, or more than any method makes.
  case callCount(scheduler: String, steps: Int, found: Int, allowed: ClosedRange<Int>)
  /// A number of the schedule is not finite.
  case scheduleNotFinite(scheduler: String, steps: Int, what: String, value: String)
  /// The scheduler does not offer this.
  case notOffered(scheduler: String, operation: String)
}

extension SchedulerError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .failed(let scheduler, let operation, let failure):
      "scheduler '\(scheduler)': cannot \(operation): \(failure)"
    case .notFinite(let scheduler, let operation, let index, let value):
      "scheduler '\(scheduler)' returned \(value) at element \(index) from finite input, when asked to"
        + " \(operation); choose another scheduler or other settings of it"
    case .inputNotFinite(let scheduler, let operation, let input, let index):
      "scheduler '\(scheduler)': cannot \(operation): the \(input) is not finite at element"
        + " \(index), so the fault lies before the scheduler; try float32 or bfloat16"
    case .counts(let scheduler, let operation, let input, let expected, let found):
      "scheduler '\(scheduler)': cannot \(operation): the \(input) has \(found) elements,"
        + " expected \(expected)"
    case .missingNoise(let scheduler, let operation):
      "scheduler '\(scheduler)': cannot \(operation): it needs noise and got none"
    case .configuration(let scheduler, let detail):
      "scheduler '\(scheduler)': its configuration is no JSON object: \(detail)"
    case .callCount(let scheduler, let steps, let found, let allowed):
      "scheduler '\(scheduler)' plans \(found) model calls for \(steps) steps, expected \(allowed.lowerBound)"
        + " to \(allowed.upperBound); choose another scheduler, or report this to its author"
    case .scheduleNotFinite(let scheduler, let steps, let what, let value):
      "scheduler '\(scheduler)' plans \(steps) steps with \(what) = \(value), which is not finite;"
        + " choose another scheduler or other settings of it"
    case .notOffered(let scheduler, let operation):
      "scheduler '\(scheduler)' cannot \(operation); choose another scheduler"
    }
  }
}
