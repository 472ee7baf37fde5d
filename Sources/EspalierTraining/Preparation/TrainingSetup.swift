import EspalierCheckpoints
import EspalierGraph
import EspalierHost
import EspalierModels
import EspalierPipelines
import EspalierTensors

/// The models of a run, opened and found to fit each other; no weights are read.
struct TrainingSetup {
  let folder: DiffusionFolder
  let unet: (configuration: UNet2DConditionConfiguration, weights: ComponentWeights)
  let vae: (configuration: AutoencoderKLConfiguration, weights: ComponentWeights)
  let adapter: AdapterStart
  /// The forward process of the base model: DDPM with the betas of its scheduler.
  let scheduler: NoiseScheduler
  /// Noise levels that the base model was trained with.
  let trainTimesteps: Int
  /// Everything that fixes the graph of a step.
  let step: TrainingStep.Configuration
}

extension AdapterTrainer {
  /// Opens the models.
  ///
  /// - Throws: `PipelineError`, `CheckpointError`, `ModelError`, `PluginError`, `SchedulerError`, `FileError`.
  func setUp() throws -> TrainingSetup {
    let folder = try DiffusionFolder(
      path: configuration.pretrainedModelNameOrPath, variant: configuration.variant,
      vaePath: configuration.pretrainedVAEModelNameOrPath)
    let storage = configuration.mixedPrecision.weightType
    let unet = try folder.open(.unet, as: UNet2DConditionModel.self, storage: storage)
    let vae = try folder.open(.vae, as: AutoencoderKL.self)
    let adapter = try adapter(unet.configuration, vae.configuration)
    let json = try folder.configuration(of: .scheduler)
    let scheduler = try registry.scheduler(
      named: "DDPMScheduler", configuration: try folder.scheduler().configuration)
    let tokenCount = try folder.textEncoder(.textEncoder, storage: storage)
      .configuration.maxPositionEmbeddings
    return TrainingSetup(
      folder: folder, unet: unet, vae: vae, adapter: adapter, scheduler: scheduler,
      trainTimesteps: try json.optionalInt("num_train_timesteps") ?? 1000,
      step: step(
        unet.configuration, adapter.configuration, vae.configuration, tokenCount: tokenCount))
  }

  private func adapter(
    _ unet: UNet2DConditionConfiguration, _ vae: AutoencoderKLConfiguration
  ) throws -> AdapterStart {
    guard let path = configuration.adapterModelNameOrPath else {
      return AdapterStart(fresh: unet, inChannels: configuration.adapterInChannels)
    }
    let start = try AdapterStart(path: path)
    try start.check(against: unet, latentScale: vae.downscaleFactor, name: path)
    return start
  }

  private func step(
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
}
