public import EspalierHost
public import EspalierImages
public import EspalierModels
public import EspalierTensors

/// Generates pictures with Stable Diffusion XL, guided by prompts and, through adapters, by control images.
///
/// With a seed it gives the pictures that Diffusers gives on a CPU. Weights are loaded stage by stage and released: text
/// encoders, adapters, UNet, VAE.
/// Source: Diffusers `pipeline_stable_diffusion_xl_adapter.py`; without adapters as `StableDiffusionXLPipeline`.
public final class StableDiffusionXLAdapterPipeline {
  public let adapters: [AdapterComponent]
  public let scheduler: NoiseScheduler
  public let promptEncoder: PromptEncoder
  let denoiser: DenoiserComponent
  let autoencoder: AutoencoderComponent
  public let device: ComputeDevice
  /// Whether an absent negative prompt is zeros.
  let forceZeros: Bool
  let vaeTiling: VAETiling
  let weightCache: WeightCache
  private let sharedUNetWeights: DeviceWeights?
  /// Memory of a training run that its validation uses too.
  let sharedArenas: ArenaPool?

  /// Opens all components and checks that they fit each other; reads no weights.
  ///
  /// - Parameters:
  ///   - storage: The type that weights are converted to, the VAE's excepted; nil keeps the files'.
  ///   - models: The networks that are known.
  ///   - weightCache: What copies of the UNet's weights may take.
  ///   - unetWeights: Weights of the UNet that are on the device already, to share.
  ///   - arenas: Memory for temporaries to share with what runs at other times.
  /// - Throws: `PipelineError`, `CheckpointError`, `TokenizerError`, `ModelError`.
  public init(
    _ folder: DiffusionFolder, adapters: [AdapterComponent] = [], scheduler: NoiseScheduler,
    device: ComputeDevice, storage: DType? = nil, models: ModelRegistry = .standard,
    vaeTiling: VAETiling = .auto, weightCache: WeightCache = .none,
    unetWeights: DeviceWeights? = nil, arenas: ArenaPool? = nil
  ) throws {
    self.adapters = adapters
    self.scheduler = scheduler
    self.device = device
    self.vaeTiling = vaeTiling
    self.weightCache = weightCache
    sharedUNetWeights = unetWeights
    sharedArenas = arenas
    forceZeros = folder.forceZerosForEmptyPrompt
    promptEncoder = try PromptEncoder(folder, device: device, storage: storage, models: models)
    denoiser = try folder.denoiser(storage: storage, models: models)
    autoencoder = try folder.autoencoder(models: models)
    try checkUNet(folder)
    for adapter in adapters {
      try adapter.check(
        against: unet, latentScale: vae.downscaleFactor)
    }
  }

  /// The UNet's configuration.
  public var unet: any DenoiserConfiguration { denoiser.configuration }

  /// The VAE's configuration.
  public var vae: any AutoencoderConfiguration { autoencoder.configuration }

  /// Generates all pictures of a configuration.
  ///
  /// - Parameters:
  ///   - embeddings: Of the prompts and the negative prompts, from `encode`; nil encodes them here.
  ///   - runPlan: From `plan`, checked; nil plans and checks here.
  ///   - kept: The copies of the UNet's weights to keep; nil: those of the plan.
  ///   - report: Hears what is being done, on this thread.
  /// - Throws: `PipelineError`, `SchedulerError`, `BackendError`, `CheckpointError`.
  public func generate(
    _ configuration: GenerationConfiguration, embeddings: PromptEmbeddings? = nil,
    plan runPlan: RunPlan? = nil, keeping kept: KeptCopies? = nil, profile: ExecutionProfile? = nil,
    report: (GenerationEvent) -> Void = { _ in }
  ) throws -> Generation {
    let plan = try makePlan(configuration)
    let runPlan = try runPlan ?? checkedPlan(configuration, encodesPrompts: embeddings == nil)
    let embeddings = try embeddings ?? encode(configuration, profile: profile, report: report)
    let latents = try denoise(
      configuration, plan, embeddings, keeping: kept ?? runPlan.copies(of: NoisePredictor.name),
      profile: profile, report: report)
    sharedUNetWeights?.releasePages()
    let images = try decode(latents, profile: profile, report: report)
    let sources = plan.rows.map { row in
      Generation.Source(
        prompt: configuration.prompts[row.prompt],
        negativePrompt: guides(configuration)
          ? configuration.negativePrompts.map { $0.count == 1 ? $0[0] : $0[row.prompt] } : nil,
        imageSet: row.imageSet)
    }
    return Generation(
      images: images, latents: latents, sources: sources, height: plan.height, width: plan.width)
  }

  private func checkedPlan(
    _ configuration: GenerationConfiguration, encodesPrompts: Bool
  ) throws -> RunPlan {
    let plan = try plan(configuration, encodesPrompts: encodesPrompts)
    try plan.check(on: device)
    return plan
  }

  /// Checks a configuration without generating.
  ///
  /// - Returns: The size of the pictures and their number.
  /// - Throws: `PipelineError.setting`.
  public func check(
    _ configuration: GenerationConfiguration
  ) throws(PipelineError) -> (height: Int, width: Int, count: Int) {
    let plan = try makePlan(configuration)
    return (plan.height, plan.width, plan.rows.count)
  }

  /// Decodes latents to pictures, one after the other.
  ///
  /// - Parameter latents: As the UNet leaves them, f32 `[N, C, h, w]`.
  /// - Throws: `BackendError`; `PipelineError.notFinite`, `.cancelled`.
  public func decode(
    _ latents: HostTensor, profile: ExecutionProfile? = nil,
    report: (GenerationEvent) -> Void = { _ in }
  ) throws -> [Image] {
    report(.stage("decoding"))
    let map = latents.channelsLast()
    let dims = map.shape.dims
    let decoder = try LatentDecoder(
      autoencoder, height: dims[1], width: dims[2], device: device, tiling: vaeTiling,
      arenas: sharedArenas)
    return try (0..<dims[0]).map { index in
      if HostServices.isCancelled { throw PipelineError.cancelled }
      let one = map.row(index).reshaped([1, dims[1], dims[2], dims[3]])
      let image = Image(floats: try decoder(one, profile: profile))
      report(.decoded(index + 1, of: dims[0]))
      return image
    }
  }

  /// True if the negative prompt counts; a guidance-distilled UNet does without.
  func guides(_ configuration: GenerationConfiguration) -> Bool {
    configuration.guidanceScale > 1 && unet.timeCondProjDim == nil
  }

  /// The UNet's weights, on the device as far as they have been used.
  func unetWeights() -> DeviceWeights {
    sharedUNetWeights ?? DeviceWeights(device, denoiser.weights)
  }

  /// What is computed for a configuration.
  ///
  /// - Throws: `PipelineError.setting`.
  func makePlan(
    _ configuration: GenerationConfiguration
  ) throws(PipelineError) -> GenerationPlan {
    let factors = adapters.map(\.configuration.downscaleFactor)
    let latentScale = vae.downscaleFactor
    let multiple = factors.reduce(2 * latentScale, leastCommonMultiple)
    let natural = (unet.sampleSize ?? 128) * latentScale
    return try GenerationPlan(
      configuration, adapterCount: adapters.count, sizeMultiple: multiple,
      defaultSize: max(natural / multiple, 1) * multiple)
  }

  private func checkUNet(_ folder: DiffusionFolder) throws(PipelineError) {
    func refused(_ expected: String, _ found: String, _ hint: String) -> PipelineError {
      .component("unet", path: folder.path, expected: expected, found: found, hint: hint)
    }
    let channels = vae.latentChannels
    guard unet.inChannels == channels else {
      throw refused(
        "\(channels) channels, as the VAE's latents", "\(unet.inChannels)",
        "inpainting and other UNets with more inputs are not supported")
    }
    let pooled = promptEncoder.pooledSize
    let count = unet.timeIDCount(textFeatures: pooled)
    guard count == Self.timeIDCount else {
      throw refused(
        "\(Self.timeIDCount) sizes beside \(pooled) features of pooled text", "\(count)",
        "is this SDXL's base model? The refiner has fewer sizes")
    }
    // Only this network tells enough to say it before the graph does.
    guard let unet = unet as? UNet2DConditionConfiguration else { return }
    let size = promptEncoder.hiddenSize
    guard unet.crossAttentionDim.allSatisfy({ $0 == size }) else {
      throw refused(
        "cross_attention_dim \(size), as the text encoders' hidden sizes together",
        "\(unet.crossAttentionDim)", "UNet and text encoders are of different models")
    }
    let total = unet.projectionClassEmbeddingsInputDim ?? 0
    let filled = pooled + Self.timeIDCount * (unet.additionTimeEmbedDim ?? 0)
    guard total == filled, unet.outChannels == channels else {
      throw refused(
        "projection_class_embeddings_input_dim \(filled) and out_channels \(channels)",
        "\(total) and \(unet.outChannels)", "UNet and text encoders are of different models")
    }
  }

  /// Original height and width, crop top and left, target height and width.
  private static let timeIDCount = 6
}

/// The smallest multiple of both.
func leastCommonMultiple(_ a: Int, _ b: Int) -> Int {
  var (x, y) = (a, b)
  while y != 0 { (x, y) = (y, x % y) }
  return a / max(x, 1) * b
}
