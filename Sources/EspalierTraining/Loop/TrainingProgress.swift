public import EspalierHost

/// What a run tells while it goes on; the command line draws a bar, a test listens.
public protocol TrainingObserver: AnyObject {
  /// Once, when the metric loggers are open: where lines go that they should keep.
  func opened(_ console: TrainingConsole)
  /// A phase before the steps: how much is done of how much.
  func preparing(_ what: String, done: Int, total: Int)
  /// What the run will take, before anything is computed.
  func planned(_ plan: RunPlan, on device: ComputeDevice)
  /// What is about to be trained, right before the first step.
  func starting(_ outline: TrainingOutline)
  /// After each optimizer step.
  func stepped(_ step: TrainingStepReport)
  /// Once, with the time of every operation, if the configuration's `profileSteps` asks for it.
  func profiled(_ profile: ExecutionProfile)
  /// A line worth keeping: a checkpoint, a skipped step.
  func note(_ message: String)
}

extension TrainingObserver {
  public func opened(_ console: TrainingConsole) {}
  public func planned(_ plan: RunPlan, on device: ComputeDevice) {}
  public func profiled(_ profile: ExecutionProfile) {}
}

/// What is about to be trained, on what, in how much memory.
public struct TrainingOutline: Sendable {
  public let device: String
  public let weightType: String
  public let trainedParameters: Int
  public let frozenParameters: Int
  /// Bytes of temporaries, trained state and weights on the device.
  public let arenaBytes: Int
  public let stateBytes: Int
  public let weightBytes: Int
  public let sampleCount: Int
  public let firstStep: Int
  public let totalSteps: Int
}

/// One optimizer step.
public struct TrainingStepReport: Sendable {
  /// Counted from 1.
  public let step: Int
  public let totalSteps: Int
  /// Mean over the micro-batches.
  public let loss: Double
  public let learningRate: Double
  /// Before clipping.
  public let gradientNorm: Double
  /// True if the gradients overflowed and nothing was updated.
  public let isSkipped: Bool
  /// Of this step.
  public let seconds: Double
  /// Mean over the steps of this run.
  public let imagesPerSecond: Double
  public let secondsLeft: Double
}

/// Hands lines that a run shows to its metric loggers.
public struct TrainingConsole: Sendable {
  let loggers: [MetricLogger]

  /// - Parameter line: Without its end.
  public func write(_ line: String) {
    for logger in loggers { logger.console(.error, line: line) }
  }
}

/// How a run ended.
public struct TrainingSummary: Sendable {
  public let step: Int
  public let isInterrupted: Bool
  /// Seconds of the steps alone, without preparation and validation.
  public let trainingSeconds: Double
  public let preparationSeconds: Double
  public let imagesPerSecond: Double
  public let finalLoss: Double
  /// The largest memory that the process had.
  public let peakMemoryBytes: Int
  /// Where the adapter is, or the state to continue from if the run was interrupted.
  public let output: String
}
