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
  let device: ComputeDevice
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
    let folder = try DiffusionFolder(
      path: configuration.pretrainedModelNameOrPath, variant: configuration.variant,
      vaePath: configuration.pretrainedVAEModelNameOrPath)
    let storage = configuration.mixedPrecision.weightType
    let unet = try folder.open(.unet, as: UNet2DConditionModel.self, storage: storage)
    let vae = try folder.open(.vae, as: AutoencoderKL.self).configuration
    try Folder.make(configuration.outputDir)
    checkpoints.removeUnfinished()
    let resumed = try configuration.resumeFromCheckpoint.flatMap { try checkpoints.resolve($0) }
    if resumed == nil, configuration.resumeFromCheckpoint != nil {
      observer?.note("there is no checkpoint in \(configuration.outputDir) yet; starting a new run")
    }
    let seed = try seed(resumed)
    let adapter = try adapter(unet.configuration, vae, seed: seed)
    let scheduler = try trainingScheduler(folder)
    let unetWeights = DeviceWeights(device, unet.weights)
    let tokenCount = try folder.textEncoder(.textEncoder, storage: storage)
      .configuration.maxPositionEmbeddings
    let stepConfiguration = stepConfiguration(
      unet.configuration, adapter.configuration, vae, tokenCount: tokenCount)
    try checkMemory(folder, stepConfiguration, adapter, unetWeights)
    let validation =
      try configuration.validationImages.isEmpty
      ? nil
      : ValidationRun(
        configuration, folder: folder, adapter: adapter.configuration, registry: registry,
        device: device, unetWeights: unetWeights, seed: seed, observer: observer)
    let data = try DataPreparation(
      configuration: configuration, folder: folder, device: device, seed: seed,
      controlChannels: adapter.configuration.inChannels, observer: observer
    ).prepare()
    let files = StateFiles(adapter: adapter.configuration)
    let parameters = try TrainedParameters(device, initial: adapter.parameters)
    let state = try state(resumed, files, parameters, data, seed)
    let totalSteps = configuration.totalSteps(sampleCount: data.samples.count)
    let arenas = ArenaPool(device)
    let step = try TrainingStep(
      stepConfiguration, on: device, weights: unetWeights, parameters: parameters,
      accumulates: configuration.gradientAccumulationSteps > 1, arenas: arenas)
    try validation?.checkMemory(adapter.parameters)
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
          data: data, scheduler: scheduler.scheduler, vae: vae, configuration: configuration,
          seed: seed, trainTimesteps: scheduler.trainTimesteps),
        state: state, resumed: resumed, totalSteps: totalSteps),
      observer: observer)
    try loggers.open(
      resumeStep: resumed == nil ? nil : state.step, totalSteps: totalSteps)
    observer?.opened(loggers.console)
    reportPlan(
      loop, unet.configuration, sampleCount: data.samples.count, arenas: arenas,
      unetWeights: unetWeights)
    return loop
  }

  /// Tells the observer what is about to happen, and in how much memory.
  private func reportPlan(
    _ loop: TrainingLoop, _ unet: UNet2DConditionConfiguration, sampleCount: Int, arenas: ArenaPool,
    unetWeights: DeviceWeights
  ) {
    observer?.planned(
      TrainingPlan(
        device: "\(device.backendName): \(device.info.name)",
        weightType: configuration.mixedPrecision.weightType?.rawValue ?? "as stored",
        trainedParameters: loop.parameters.shapes.reduce(0) { $0 + $1.shape.count },
        frozenParameters: UNet2DConditionModel.parameters(unet).reduce(0) { $0 + $1.shape.count },
        arenaBytes: arenas.byteCount, stateBytes: loop.parameters.byteCount,
        weightBytes: unetWeights.byteCount, sampleCount: sampleCount,
        firstStep: loop.state.step + 1, totalSteps: loop.totalSteps))
  }

  private func adapter(
    _ unet: UNet2DConditionConfiguration, _ vae: AutoencoderKLConfiguration, seed: UInt64
  ) throws -> AdapterStart {
    guard let path = configuration.adapterModelNameOrPath else {
      return AdapterStart(fresh: unet, inChannels: configuration.adapterInChannels, seed: seed)
    }
    let start = try AdapterStart(folder: path)
    try start.check(against: unet, latentScale: vae.downscaleFactor, name: path)
    return start
  }

  /// The forward process of the base model: DDPM with the betas of its scheduler.
  private func trainingScheduler(
    _ folder: DiffusionFolder
  ) throws -> (scheduler: NoiseScheduler, trainTimesteps: Int) {
    let json = try folder.configuration(of: .scheduler)
    let text = try folder.scheduler().configuration
    let scheduler = try registry.scheduler(named: "DDPMScheduler", configuration: text)
    return (scheduler, try json.optionalInt("num_train_timesteps") ?? 1000)
  }

  private func stepConfiguration(
    _ unet: UNet2DConditionConfiguration, _ adapter: T2IAdapterConfiguration,
    _ vae: AutoencoderKLConfiguration, tokenCount: Int
  ) -> TrainingStep.Configuration {
    let side = configuration.resolution / vae.downscaleFactor
    var result = TrainingStep.Configuration(
      unet: unet, adapter: adapter, batchSize: configuration.trainBatchSize, latentHeight: side,
      latentWidth: side)
    result.vaeScaleFactor = vae.downscaleFactor
    result.tokenCount = tokenCount
    result.graph = GraphOptions(
      fusion: configuration.fusesOperations, recompute: configuration.gradientCheckpointing,
      planner: configuration.sharesMemory)
    return result
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
