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
  private var count = 0
  private var losses: [Float] = []
  private var norms: [Float] = []

  init(_ place: Workplace, batchSize: Int) throws {
    let unet = try place.folder.open(.unet, as: UNet2DConditionModel.self)
    let vae = try place.folder.open(.vae, as: AutoencoderKL.self).configuration
    let adapter = try place.adapter()
    let parameters = try place.adapterParameters(adapter)
    let side = place.latentSide(vae)
    var configuration = TrainingStep.Configuration(
      unet: unet.configuration, adapter: adapter, batchSize: batchSize,
      latentHeight: side, latentWidth: side)
    configuration.vaeScaleFactor = vae.downscaleFactor
    configuration.tokenCount = place.tokenCount
    configuration.graph = place.passes
    let arenas = ArenaPool(place.device)
    let weights = DeviceWeights(place.device, unet.weights)
    let plan = try Executable.plan(
      of: TrainingStep.program(configuration), on: place.device, weights: weights,
      bound: Set(parameters.bindings.keys))
    step = try TrainingStep(
      configuration, on: place.device, weights: weights, parameters: parameters,
      accumulates: false, arenas: arenas, keeping: place.kept(of: plan))
    optimizer = try AdamWOptimizer(place.device, parameters, arenas: arenas)
    batch = Self.batch(place, unet.configuration, count: batchSize, side: side)
  }

  mutating func run(profile: ExecutionProfile?) throws {
    let result = try step.run(batch, seed: 1, isFirst: true, profile: profile)
    let norm = try optimizer.gradientNorm(profile: profile)
    count += 1
    try optimizer.step(
      count, learningRate: 1e-3,
      gradientMultiplier: AdamWOptimizer.clipFactor(norm: norm, maximum: 1))
    losses.append(result.loss)
    norms.append(Float(norm))
  }

  /// Losses and norms of the first two steps: later ones depend on how many there are.
  func results() -> [(name: String, tensor: HostTensor)] {
    [("losses", losses), ("gradient_norms", norms)].map { name, values in
      (name, HostTensor(Array(values.prefix(2)), shape: [min(values.count, 2)]))
    }
  }

  private static func batch(
    _ place: Workplace, _ unet: UNet2DConditionConfiguration, count: Int, side: Int
  ) -> TrainingBatch {
    let resolution = place.resolution
    let latents: Shape = [count, unet.inChannels, side, side]
    return TrainingBatch(
      sample: Waves.tensor(.sample, latents).channelsLast(), timesteps: Waves.timesteps(count),
      textEmbeds: Waves.tensor(.pooled, [count, unet.pooledDim]),
      timeIDs: [[Double]](repeating: Waves.timeIDs(resolution: resolution), count: count),
      encoderHiddenStates: Waves.tensor(
        .hiddenStates, [count, place.tokenCount, unet.crossAttentionDim[0]]),
      control: place.control(count: count),
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
