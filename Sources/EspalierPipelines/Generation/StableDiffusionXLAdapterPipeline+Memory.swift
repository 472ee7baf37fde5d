import EspalierGraph
import EspalierHost
import EspalierModels

extension StableDiffusionXLAdapterPipeline {
  /// Refuses pictures for which a network does not fit into the device's memory as it is free now. Loads nothing.
  ///
  /// The networks are on the device one after the other, so each has to fit by itself; a late failure, in the VAE after
  /// all steps, is found before the first.
  ///
  /// - Parameter encodesPrompts: False if the embeddings are there already.
  /// - Throws: `BackendError.notEnoughMemory`, `.tooLarge`, `.unsupported`; `PipelineError.setting`, `CheckpointError`.
  public func checkMemory(
    _ configuration: GenerationConfiguration, encodesPrompts: Bool = true
  ) throws {
    let plan = try makePlan(configuration)
    let isGuided = guides(configuration)
    if encodesPrompts {
      let texts = Set(configuration.prompts + (isGuided ? configuration.negativePrompts ?? [] : []))
      try promptEncoder.checkMemory(
        textCount: texts.count, clipSkip: configuration.clipSkip ?? 0)
    }
    var featureCount = 0
    if !adapters.isEmpty {
      let program = try AdapterFeatures.program(adapters, height: plan.height, width: plan.width)
      featureCount = program.tensors(.output).count
      try device.check(
        Executable.memoryNeed(
          of: program, on: device, weights: AdapterFeatures.weights(adapters, device)),
        for: AdapterFeatures.name)
    }
    let (height, width) = (plan.height / vae.downscaleFactor, plan.width / vae.downscaleFactor)
    let pictures = plan.batches(of: configuration.maxBatchSize).map(\.count).max() ?? 1
    let shapes = NoisePredictor.Shapes(
      batch: pictures * (isGuided ? 2 : 1), height: height, width: width, encoder: promptEncoder,
      featureCount: featureCount)
    try device.check(
      Executable.memoryNeed(
        of: NoisePredictor.program(denoiser, shapes), on: device, weights: unetWeights()),
      for: NoisePredictor.name)
    try device.check(
      Executable.memoryNeed(
        of: LatentDecoder.program(autoencoder, height: height, width: width), on: device,
        weights: DeviceWeights(device, autoencoder.weights)),
      for: LatentDecoder.name)
  }
}
