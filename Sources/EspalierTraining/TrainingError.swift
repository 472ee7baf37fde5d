/// A training state on disk.
public struct SavedState: Sendable, Equatable {
  public let path: String
  /// Optimizer steps done.
  public let step: Int
}

/// A training run that cannot start or go on.
public enum TrainingError: Error, Equatable, CustomStringConvertible {
  /// A setting that cannot be: the flag, what was given, what is allowed.
  case invalidSetting(flag: String, found: String, expected: String)
  /// The loss or a gradient stopped being finite.
  case notFinite(what: String, step: Int, samples: [String], checkpoint: String?)
  /// The device failed: in what (`step 12`), the backend's words, and the state that can be continued from.
  case device(during: String, reason: String, saved: SavedState?)
  /// A checkpoint that cannot be continued from.
  case checkpoint(path: String, reason: String)
  /// A cached result went missing while the run was using it.
  case cacheIncomplete(what: String)
  /// The user asked to stop before the first step.
  case interrupted

  public var description: String {
    switch self {
    case .invalidSetting(let flag, let found, let expected):
      return "\(flag) is \(found), expected \(expected)"
    case .notFinite(let what, let step, let samples, let checkpoint):
      let saved =
        checkpoint.map {
          "\n  saved    \($0); if that has diverged already, go on from an older one"
        }
        ?? ""
      return """
        the \(what) is not finite in step \(step)
          samples  \(samples.joined(separator: ", "))\(saved)
          hint     look at these images and captions; try a lower --learning_rate, or \
        --mixed_precision bf16 or no
        """
    case .device(let what, let reason, let saved):
      let state =
        saved.map {
          """
          saved    the state after step \($0.step)
            hint     continue with --resume_from_checkpoint \($0.path)
          """
        } ?? "saved    nothing yet; --checkpointing_steps says how often a state is saved"
      return "\(what) failed: \(reason)\n  \(state)"
    case .checkpoint(let path, let reason):
      return "cannot continue from \(path): \(reason)"
    case .cacheIncomplete(let what):
      return
        "the cached result for \(what) is gone; were files removed from the cache folder? Start again"
    case .interrupted:
      return "interrupted before the first step; what was encoded is cached"
    }
  }
}
