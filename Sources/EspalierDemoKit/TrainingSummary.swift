public import EspalierCheckpoints

/// What `espalier train` tells of a finished run in `training_summary.json`.
public struct TrainingSummary: Sendable, Equatable {
  /// The wall time of the training.
  public let seconds: Double
  /// Optimizer steps.
  public let steps: Int
  /// The most memory that the training process held.
  public let peakMemoryBytes: Int

  /// Reads the file.
  ///
  /// - Throws: `CheckpointError.file`, `.configuration`.
  public init(contentsOf path: String) throws(CheckpointError) {
    let json = try JSONObject(contentsOf: path)
    seconds = try json.double("training_seconds")
    steps = try json.int("training_steps")
    peakMemoryBytes = try json.int("peak_memory_bytes")
  }
}
