import EspalierCheckpoints
import EspalierHost
import EspalierTensors

extension TrainingLoop {
  /// Saves what can be saved after a failure, and says where the run can be continued from.
  ///
  /// The parameters are those before the failed step, since only a complete update changes them; where an update was cut
  /// off, or the device is lost, the last saved state stands. Older states stay too, as this one may have diverged.
  ///
  /// - Parameter what: What failed: `step 12`.
  /// - Returns: The error to throw.
  func failure(_ error: any Error, during what: String) -> any Error {
    let path = saveAfterFailure(error)
    switch error {
    case TrainingError.notFinite(let what, let step, let samples, _):
      return TrainingError.notFinite(
        what: what, step: step, samples: samples, checkpoint: path ?? lastState?.path)
    case let error as BackendError where !error.isCancellation:
      return TrainingError.device(during: what, reason: "\(error)", saved: lastState)
    default:
      if let path = path ?? lastState?.path { observer?.note("the last saved state is \(path)") }
      return error
    }
  }

  /// Runs `body`, which reads the device and writes files; a failure of the device says where to go on.
  func saving<Result>(_ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch let error as BackendError {
      throw failure(error, during: "saving the state after step \(state.step)")
    }
  }

  /// - Returns: The path of the state, nil if it was not saved.
  private func saveAfterFailure(_ error: any Error) -> String? {
    let isLost = (error as? BackendError)?.code == .deviceLost
    guard state.step > 0, !isUpdating, !isLost else { return nil }
    do {
      return try isFinite() ? save(keepsAll: true) : nil
    } catch {
      observer?.note("the state after step \(state.step) could not be saved: \(error)")
      return nil
    }
  }

  /// True if every weight is a number.
  private func isFinite() throws -> Bool {
    try parameters.read(.parameter).values.allSatisfy { $0.firstNonFinite() == nil }
  }
}
