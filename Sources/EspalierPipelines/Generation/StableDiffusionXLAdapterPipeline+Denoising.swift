public import EspalierHost
import EspalierModels
import EspalierTensors

/// What the UNet sees of the prompts and the negative prompts of a configuration.
public struct PromptEmbeddings: Sendable {
  /// One for each prompt.
  public let prompts: [PromptEmbedding]
  /// One for each prompt; empty without guidance.
  public let negative: [PromptEmbedding]
}

extension StableDiffusionXLAdapterPipeline {
  /// Encodes the prompts and, with guidance, the negative prompts.
  ///
  /// An absent negative prompt is zeros or an empty text, as the model says. `clipSkip` is for the prompts alone, as in
  /// Diffusers.
  ///
  /// - Throws: `PipelineError`, `BackendError`, `CheckpointError`.
  public func encode(
    _ configuration: GenerationConfiguration, profile: ExecutionProfile? = nil,
    report: (GenerationEvent) -> Void = { _ in }
  ) throws -> PromptEmbeddings {
    try configuration.check()
    report(.stage("encoding the prompts"))
    let texts = configuration.prompts
    var negatives = configuration.negativePrompts ?? (forceZeros ? [] : [""])
    if negatives.count == 1 { negatives = [String](repeating: negatives[0], count: texts.count) }
    if !guides(configuration) { negatives = [] }
    for text in Set(texts + negatives).sorted() {
      if let rest = promptEncoder.truncatedText(text) {
        report(
          .warning(
            "a prompt has more than \(promptEncoder.tokenCount) tokens; this is left out: \(rest)"))
      }
    }
    let skip = configuration.clipSkip ?? 0
    let all = try promptEncoder(
      texts.map { PromptEncoder.Prompt($0, clipSkip: skip) }
        + negatives.map { PromptEncoder.Prompt($0) }, profile: profile)
    let positive = Array(all[..<texts.count])
    let negative =
      negatives.isEmpty && guides(configuration)
      ? positive.map { .zeros(like: $0) } : Array(all[texts.count...])
    return PromptEmbeddings(prompts: positive, negative: negative)
  }

  /// Runs the scheduler's loop over all pictures, batch after batch.
  ///
  /// - Parameter kept: The copies of the UNet's weights to keep meanwhile.
  /// - Returns: f32 `[N, C, h, w]`.
  func denoise(
    _ configuration: GenerationConfiguration, _ plan: GenerationPlan,
    _ embeddings: PromptEmbeddings, keeping kept: KeptCopies, profile: ExecutionProfile?,
    report: (GenerationEvent) -> Void
  ) throws -> HostTensor {
    let shape = Shape([
      plan.rows.count, unet.inChannels,
      plan.height / vae.downscaleFactor,
      plan.width / vae.downscaleFactor,
    ])
    let features = try adapterFeatures(configuration, plan, profile, report)
    try scheduler.setTimesteps(configuration.numInferenceSteps)
    var loop = DenoisingLoop(
      configuration: configuration, plan: plan, embeddings: embeddings, features: features,
      scheduler: scheduler, shape: shape, isGuided: guides(configuration))
    try loop.drawInitialLatents()
    let batches = plan.batches(of: configuration.maxBatchSize)
    let total = batches.count * scheduler.callCount
    report(.stage("loading the UNet"))
    let (weights, arenas) = (unetWeights(), sharedArenas ?? ArenaPool(device))
    var predictor: NoisePredictor?
    var latents: [Float] = []
    var done = 0
    for rows in batches {
      let shapes = NoisePredictor.Shapes(
        batch: rows.count * (loop.isGuided ? 2 : 1), height: shape[2], width: shape[3],
        encoder: promptEncoder, featureCount: features.first?.count ?? 0)
      if predictor?.shapes != shapes {
        predictor = nil  // its buffers go before the next one's come
        predictor = try NoisePredictor(
          denoiser, shapes, device: device, weights: weights, arenas: arenas,
          keeping: kept, profile: profile)
        if done == 0 { report(.stage("denoising")) }
      }
      guard let predictor else { break }
      latents += try loop.run(rows, predictor) {
        done += 1
        report(.step(done, of: total))
      }
    }
    return HostTensor(latents, shape: shape)
  }

  private func adapterFeatures(
    _ configuration: GenerationConfiguration, _ plan: GenerationPlan,
    _ profile: ExecutionProfile?, _ report: (GenerationEvent) -> Void
  ) throws -> [[HostTensor]] {
    if adapters.isEmpty { return [] }
    report(.stage("computing the adapter's features"))
    let stage = try AdapterFeatures(
      adapters, height: plan.height, width: plan.width, device: device, arenas: sharedArenas)
    return try configuration.images.map { set in
      let images = zip(set, adapters).map {
        ControlImage.tensor(
          $0, channels: $1.configuration.inChannels, height: plan.height, width: plan.width)
      }
      return try stage(
        images, scales: configuration.adapterConditioningScale, profile: profile)
    }
  }
}
