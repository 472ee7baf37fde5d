import EspalierCheckpoints
import EspalierGraph
public import EspalierHost
import EspalierModels
import EspalierPipelines
import EspalierTensors
import Foundation

/// Trains a T2I-Adapter beside a frozen Stable Diffusion XL.
///
/// Source: Diffusers `train_t2i_adapter_sdxl.py`, with its defects mended; see `Docs/Training.md`.
public final class AdapterTrainer {
  let configuration: TrainingConfiguration
  let registry: PluginRegistry
  public let device: ComputeDevice
  private(set) weak var observer: (any TrainingObserver)?

  /// - Parameter device: Where everything is computed.
  /// - Throws: `TrainingError.invalidSetting`.
  public init(
    _ configuration: TrainingConfiguration, registry: PluginRegistry, device: ComputeDevice,
    observer: (any TrainingObserver)? = nil
  ) throws(TrainingError) {
    try configuration.validate()
    self.configuration = configuration
    self.registry = registry
    self.device = device
    self.observer = observer
  }

  /// Prepares, trains, and writes the adapter in Diffusers' layout to the output folder.
  ///
  /// SIGINT and SIGTERM end the run after the current step with a saved state.
  ///
  /// - Throws: A typed error of the part that failed; what had been saved stays.
  public func run() throws -> TrainingSummary {
    StopSignal.install()
    let start = ContinuousClock.now
    let checkpoints = CheckpointFolder(outputDir: configuration.outputDir)
    let loggers = LoggerSet(configuration, registry)
    // What an error leaves behind is a run that failed.
    var exitCode: Int32 = 1
    defer { loggers.close(exitCode: exitCode) }
    let loop = try prepare(checkpoints, loggers)
    let preparation = (ContinuousClock.now - start) / .seconds(1)
    let result = try loop.run()
    let output: String
    if result.isInterrupted {
      output = checkpoints.path(loop.state.step)
    } else {
      try loop.saving {
        try loop.save()
        try loop.files.writeAdapter(loop.parameters, to: configuration.outputDir)
      }
      output = configuration.outputDir
    }
    let summary = TrainingSummary(
      step: loop.state.step, isInterrupted: result.isInterrupted,
      trainingSeconds: loop.trainingSeconds, preparationSeconds: preparation,
      imagesPerSecond: loop.imagesPerSecond, finalLoss: result.loss,
      peakMemoryBytes: ProcessMemory.peakByteCount, output: output)
    try write(summary)
    exitCode = result.isInterrupted ? StopSignal.exitCode : 0
    return summary
  }

  private func prepare(_ checkpoints: CheckpointFolder, _ loggers: LoggerSet) throws -> TrainingLoop
  {
    let setup = try setUp()
    let plan = try plan(setup)
    try plan.check(on: device, remedy: remedy)
    observer?.planned(plan, on: device)
    try Folder.make(configuration.outputDir)
    checkpoints.removeUnfinished()
    let resumed = try configuration.resumeFromCheckpoint.flatMap { try checkpoints.resolve($0) }
    if resumed == nil, configuration.resumeFromCheckpoint != nil {
      observer?.note("there is no checkpoint in \(configuration.outputDir) yet; starting a new run")
    }
    let seed = try seed(resumed)
    let (arenas, unetWeights) = (ArenaPool(device), DeviceWeights(device, setup.unet.weights))
    let validation = try validation(setup, unetWeights, arenas, seed: seed)
    let data = try DataPreparation(
      configuration: configuration, folder: setup.folder, device: device, seed: seed,
      controlChannels: setup.adapter.configuration.inChannels, observer: observer
    ).prepare()
    try validation?.encodePrompts()
    let files = StateFiles(adapter: setup.adapter.configuration)
    let parameters = try TrainedParameters(
      device, initial: try setup.adapter.parameters(seed: seed))
    let state = try state(resumed, files, parameters, data, seed)
    let totalSteps = configuration.totalSteps(sampleCount: data.samples.count)
    try arenas.reserve(plan.largestArenas)
    let step = try TrainingStep(
      setup.step, on: device, weights: unetWeights, parameters: parameters,
      accumulates: configuration.gradientAccumulationSteps > 1, arenas: arenas,
      keeping: plan.copies(of: TrainingStep.name))
    let loop = TrainingLoop(
      TrainingLoop.Parts(
        configuration: configuration, parameters: parameters, step: step,
        optimizer: try AdamWOptimizer(
          device, parameters, settings: configuration.adam, arenas: arenas),
        schedule: try LearningRateSchedule(
          kind: configuration.lrScheduler, baseRate: configuration.effectiveLearningRate,
          warmupSteps: configuration.lrWarmupSteps, totalSteps: totalSteps,
          cycles: configuration.lrNumCycles, power: configuration.lrPower),
        files: files, checkpoints: checkpoints, loggers: loggers, validation: validation,
        assembler: BatchAssembler(
          data: data, scheduler: setup.scheduler, vae: setup.vae.configuration,
          configuration: configuration, seed: seed, trainTimesteps: setup.trainTimesteps),
        state: state, resumed: resumed, totalSteps: totalSteps, plan: plan),
      observer: observer)
    try loggers.open(
      resumeStep: resumed == nil ? nil : state.step, totalSteps: totalSteps)
    observer?.opened(loggers.console)
    report(loop, setup, sampleCount: data.samples.count, unetWeights: unetWeights, arenas: arenas)
    return loop
  }

  func validation(
    _ setup: TrainingSetup, _ unetWeights: DeviceWeights, _ arenas: ArenaPool, seed: UInt64
  ) throws -> ValidationRun? {
    if configuration.validationImages.isEmpty { return nil }
    return try ValidationRun(
      configuration, folder: setup.folder, adapter: setup.adapter.configuration,
      registry: registry, device: device, unetWeights: unetWeights, arenas: arenas, seed: seed,
      observer: observer)
  }

  /// Tells the observer what is about to happen, right before the first step.
  private func report(
    _ loop: TrainingLoop, _ setup: TrainingSetup, sampleCount: Int, unetWeights: DeviceWeights,
    arenas: ArenaPool
  ) {
    observer?.starting(
      TrainingOutline(
        device: "\(device.backendName): \(device.info.name)",
        weightType: configuration.mixedPrecision.weightType?.rawValue ?? "as stored",
        trainedParameters: loop.parameters.shapes.reduce(0) { $0 + $1.shape.count },
        frozenParameters: UNet2DConditionModel.parameters(setup.unet.configuration)
          .reduce(0) { $0 + $1.shape.count },
        arenaBytes: arenas.byteCount, stateBytes: loop.parameters.byteCount,
        weightBytes: unetWeights.byteCount, sampleCount: sampleCount,
        firstStep: loop.state.step + 1, totalSteps: loop.totalSteps))
  }

  private func write(_ summary: TrainingSummary) throws {
    try JSONValue.object([
      "training_seconds": .number(summary.trainingSeconds),
      "preparation_seconds": .number(summary.preparationSeconds),
      "training_steps": .number(summary.step),
      "images_per_second": .number(summary.imagesPerSecond),
      "final_loss": summary.finalLoss.isFinite ? .number(summary.finalLoss) : .null,
      "peak_memory_bytes": .number(summary.peakMemoryBytes),
      "interrupted": .bool(summary.isInterrupted),
    ]).write(to: configuration.outputDir + "/training_summary.json")
  }
}
