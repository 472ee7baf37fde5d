import EspalierCheckpoints
import EspalierHost
import EspalierTensors
import Foundation

/// The loop over optimizer steps: micro-batches, clipping, update, checkpoints, logs, validation.
final class TrainingLoop {
  let configuration: TrainingConfiguration
  let parameters: TrainedParameters
  let step: TrainingStep
  let optimizer: AdamWOptimizer
  let schedule: LearningRateSchedule
  let files: StateFiles
  let checkpoints: CheckpointFolder
  let loggers: LoggerSet
  let validation: ValidationRun?
  weak var observer: (any TrainingObserver)?
  private var assembler: BatchAssembler
  private(set) var state: TrainingState
  let totalSteps: Int
  private let plan: RunPlan
  /// Seconds spent in steps.
  private(set) var trainingSeconds = 0.0
  private var stepsThisRun = 0
  private var lastSavedStep: Int?
  /// Where this run can be continued from.
  private(set) var lastState: SavedState?
  private var profiler: StepProfiler
  /// True while the parameters may be partly those of the next step.
  private(set) var isUpdating = false

  struct Parts {
    var configuration: TrainingConfiguration
    var parameters: TrainedParameters
    var step: TrainingStep
    var optimizer: AdamWOptimizer
    var schedule: LearningRateSchedule
    var files: StateFiles
    var checkpoints: CheckpointFolder
    var loggers: LoggerSet
    var validation: ValidationRun?
    var assembler: BatchAssembler
    var state: TrainingState
    /// The folder that the state comes from, if it is not new.
    var resumed: String?
    var totalSteps: Int
    var plan: RunPlan
  }

  init(_ parts: Parts, observer: (any TrainingObserver)?) {
    configuration = parts.configuration
    parameters = parts.parameters
    step = parts.step
    optimizer = parts.optimizer
    schedule = parts.schedule
    files = parts.files
    checkpoints = parts.checkpoints
    loggers = parts.loggers
    validation = parts.validation
    assembler = parts.assembler
    state = parts.state
    lastState = parts.resumed.map { SavedState(path: $0, step: parts.state.step) }
    totalSteps = parts.totalSteps
    plan = parts.plan
    profiler = StepProfiler(
      steps: configuration.profileSteps, of: parts.totalSteps - parts.state.step)
    self.observer = observer
  }

  /// Images per second over the steps of this run.
  var imagesPerSecond: Double {
    let images =
      stepsThisRun * configuration.trainBatchSize * configuration.gradientAccumulationSteps
    return trainingSeconds > 0 ? Double(images) / trainingSeconds : 0
  }

  /// Runs to the last step, or until the user asks to stop.
  ///
  /// - Returns: The last loss, and whether the run was interrupted.
  /// - Throws: `TrainingError`, `BackendError`, …; the state before the failed step has been saved if the
  ///   device could still be read.
  func run() throws -> (loss: Double, isInterrupted: Bool) {
    var loss = Double.nan
    while state.step < totalSteps {
      if let logger = loggers.stopRequester {
        observer?.note("the metric logger '\(logger)' was asked to end the run")
      }
      if StopSignal.count > 0 || loggers.stopRequester != nil {
        tellProfile(isLast: true)
        observer?.note("interrupted; the state is in \(try saving { try save() })")
        return (loss, true)
      }
      do {
        let report = try advance()
        loss = report.loss
        observer?.stepped(report)
        log(report)
        tellProfile(isLast: state.step == totalSteps)
      } catch {
        throw failure(error, during: "step \(state.step + 1)")
      }
      if state.step % configuration.checkpointingSteps == 0 {
        observer?.note("saved \(try saving { try save() })")
      }
      if let validation, state.step % configuration.validationSteps == 0 || state.step == totalSteps
      {
        do {
          try validation.run(
            step: state.step, parameters: parameters, loggers: loggers, plan: plan)
        } catch {
          throw failure(error, during: "the validation after step \(state.step)")
        }
      }
    }
    return (loss, false)
  }

  /// Saves the state, unless it is saved already.
  ///
  /// - Parameter keepsAll: True to remove no older state.
  @discardableResult
  func save(keepsAll: Bool = false) throws -> String {
    if lastSavedStep == state.step { return checkpoints.path(state.step) }
    loggers.waitForRecords()
    let path = try checkpoints.save(
      step: state.step, limit: keepsAll ? nil : configuration.checkpointsTotalLimit
    ) { folder in try files.write(state, parameters, to: folder) }
    lastSavedStep = state.step
    lastState = SavedState(path: path, step: state.step)
    return path
  }

  /// One optimizer step.
  private func advance() throws -> TrainingStepReport {
    let start = ContinuousClock.now
    let profile = profiler.begin()
    let count = configuration.gradientAccumulationSteps
    let scale = state.lossScaler.scale
    var loss = 0.0
    for micro in 0..<count {
      let microStep = state.step * count + micro
      let result = try step.run(
        try assembler.batch(microStep: microStep), seed: scale / Double(count),
        isFirst: micro == 0, profile: profile)
      guard result.loss.isFinite else { throw notFinite("loss", microStep) }
      loss += Double(result.loss) / Double(count)
    }
    let norm = try optimizer.gradientNorm(profile: profile) / scale
    let rate = schedule.rate(at: state.updates)
    let skipped = try update(norm: norm, scale: scale, rate: rate, profile)
    state.step += 1
    stepsThisRun += 1
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    trainingSeconds += seconds
    return TrainingStepReport(
      step: state.step, totalSteps: totalSteps, loss: loss, learningRate: rate, gradientNorm: norm,
      isSkipped: skipped, seconds: seconds, imagesPerSecond: imagesPerSecond,
      secondsLeft: trainingSeconds / Double(stepsThisRun) * Double(totalSteps - state.step))
  }

  /// Clips and updates, or skips an f16 step whose gradients overflowed.
  private func update(
    norm: Double, scale: Double, rate: Double, _ profile: ExecutionProfile?
  ) throws -> Bool {
    let isExhausted = state.lossScaler.isExhausted
    if state.lossScaler.skipsStep(gradientsAreFinite: norm.isFinite) {
      if isExhausted { throw notFinite("gradient", lastMicroStep) }
      observer?.note("step \(state.step + 1) skipped: gradients overflowed, loss scale halved")
      return true
    }
    guard norm.isFinite else { throw notFinite("gradient", lastMicroStep) }
    let clip = AdamWOptimizer.clipFactor(norm: norm, maximum: configuration.maxGradNorm)
    isUpdating = true
    try optimizer.step(
      state.updates + 1, learningRate: rate, gradientMultiplier: clip / scale, profile: profile)
    isUpdating = false
    state.updates += 1
    return false
  }

  private var lastMicroStep: Int {
    (state.step + 1) * configuration.gradientAccumulationSteps - 1
  }

  private func notFinite(_ what: String, _ microStep: Int) -> TrainingError {
    .notFinite(
      what: what, step: state.step + 1, samples: assembler.names(microStep: microStep),
      checkpoint: nil)
  }

  private func tellProfile(isLast: Bool) {
    if let profile = profiler.finished(isLast: isLast) { observer?.profiled(profile) }
  }

  private func log(_ report: TrainingStepReport) {
    let values: [(name: String, value: Double)] = [
      ("loss", report.loss), ("lr", report.learningRate), ("grad_norm", report.gradientNorm),
      ("step_seconds", report.seconds), ("images_per_second", report.imagesPerSecond),
      ("peak_memory_bytes", Double(ProcessMemory.peakByteCount)),
    ]
    loggers.scalars(step: report.step, values)
  }
}
