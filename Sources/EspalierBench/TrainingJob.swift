import EspalierHost
import EspalierModels
import EspalierPipelines
import EspalierTensors
import EspalierTraining

/// Training steps on one batch with cached latents and text, as `espalier train` does them.
struct TrainingJob: Job {
  private let step: TrainingStep
  private let optimizer: AdamWOptimizer
  private let batch: TrainingBatch
  private let arenas: ArenaPool
  private var count = 0
  private var firstLoss = 0.0
  private var lastLoss = 0.0

  var results: [Double] { [firstLoss, lastLoss] }
  var arenaByteCount: Int? { arenas.byteCount }

  init(_ place: Workplace) throws {
    let unet = try place.folder.open(.unet, as: UNet2DConditionModel.self)
    let vae = try place.folder.open(.vae, as: AutoencoderKL.self).configuration
    let levels = unet.configuration.blockOutChannels
    let adapter = T2IAdapterConfiguration(
      adapterType: .fullXL, inChannels: 3, channels: levels + levels.suffix(1), numResBlocks: 2,
      downscaleFactor: 16)
    let initial = T2IAdapter.initialParameters(adapter) { count in
      Waves.values(.parameter, count: count).map { ($0 + 1) / 2 }
    }
    let parameters = try TrainedParameters(
      place.device,
      initial: Dictionary(uniqueKeysWithValues: initial.map { ("adapter." + $0.key, $0.tensor) }))
    let side = place.latentSide(vae)
    var configuration = TrainingStep.Configuration(
      unet: unet.configuration, adapter: adapter, batchSize: place.options.batchSize,
      latentHeight: side, latentWidth: side)
    configuration.vaeScaleFactor = vae.downscaleFactor
    configuration.tokenCount = place.tokenCount
    configuration.graph = place.passes
    arenas = ArenaPool(place.device)
    step = try TrainingStep(
      configuration, on: place.device,
      weights: DeviceWeights(place.device, unet.weights), parameters: parameters,
      accumulates: false, arenas: arenas)
    optimizer = try AdamWOptimizer(place.device, parameters, arenas: arenas)
    batch = Self.batch(place, unet.configuration, side: side)
  }

  mutating func run(profile: ExecutionProfile?) throws {
    let result = try step.run(batch, seed: 1, isFirst: true, profile: profile)
    let norm = try optimizer.gradientNorm()
    count += 1
    try optimizer.step(
      count, learningRate: 1e-3,
      gradientMultiplier: AdamWOptimizer.clipFactor(norm: norm, maximum: 1))
    lastLoss = Double(result.loss)
    if count == 1 { firstLoss = lastLoss }
  }

  private static func batch(
    _ place: Workplace, _ unet: UNet2DConditionConfiguration, side: Int
  ) -> TrainingBatch {
    let (count, resolution) = (place.options.batchSize, place.options.resolution)
    let latents: Shape = [count, unet.inChannels, side, side]
    let control = Waves.values(.control, count: count * 3 * resolution * resolution)
      .map { ($0 + 1) / 2 }
    return TrainingBatch(
      sample: Waves.tensor(.sample, latents).channelsLast(), timesteps: Waves.timesteps(count),
      textEmbeds: Waves.tensor(.pooled, [count, unet.pooledDim]),
      timeIDs: [[Double]](repeating: Waves.timeIDs(resolution: resolution), count: count),
      encoderHiddenStates: Waves.tensor(
        .hiddenStates, [count, place.tokenCount, unet.crossAttentionDim[0]]),
      control: HostTensor(control, shape: [count, 3, resolution, resolution]).channelsLast(),
      target: Waves.tensor(.target, latents).channelsLast(),
      weights: HostTensor([Float](repeating: 1, count: count), shape: [count]))
  }
}

extension UNet2DConditionConfiguration {
  /// The width of the pooled text, which shares its input with six sizes.
  var pooledDim: Int {
    (projectionClassEmbeddingsInputDim ?? 0) - 6 * (additionTimeEmbedDim ?? 0)
  }
}
