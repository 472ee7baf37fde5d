/// Where a run stands, beside the weights: everything that the next step depends on.
///
/// Random numbers come from a counter-based generator keyed by seed and position, so the position is all
/// that has to be kept of them.
struct TrainingState: Codable, Equatable {
  /// In a checkpoint folder.
  static let fileName = "training_state.json"

  static let currentFormat = 1
  /// Of this file's content; another one is refused.
  var format = currentFormat
  /// Optimizer steps done.
  var step: Int
  /// Optimizer updates done; fewer than steps where f16 steps were skipped.
  var updates: Int
  /// Seed of the run.
  var seed: UInt64
  var lossScaler: LossScaler
  /// What must be the same for an exact continuation, by flag.
  var settings: [String: String]
  /// Hash of the data set's content keys and captions.
  var data: String
}
