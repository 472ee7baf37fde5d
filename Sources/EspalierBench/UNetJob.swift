import EspalierHost
import EspalierModels
import EspalierPipelines
import EspalierTensors

/// Passes of the UNet with an adapter's features, as in a step of generation.
struct UNetJob: Job {
  private let predictor: NoisePredictor
  private let sample: HostTensor
  private var prediction: HostTensor?

  init(_ place: Workplace, batch: Int) throws {
    let unet = try place.folder.open(.unet, as: UNet2DConditionModel.self)
    let vae = try place.folder.open(.vae, as: AutoencoderKL.self).configuration
    let (configuration, side) = (unet.configuration, place.latentSide(vae))
    let featureShapes = configuration.adapterFeatureShapes(batch: 1, height: side, width: side)
    let shapes = NoisePredictor.Shapes(
      batch: batch, height: side, width: side, tokens: place.tokenCount,
      textFeatures: configuration.crossAttentionDim[0], pooledFeatures: configuration.pooledDim,
      featureCount: featureShapes.count)
    let (denoiser, weights) = try (
      place.folder.denoiser(), DeviceWeights(place.device, unet.weights)
    )
    let plan = try NoisePredictor.plan(
      denoiser, shapes, device: place.device, weights: weights, options: place.passes)
    predictor = try NoisePredictor(
      denoiser, shapes, device: place.device, weights: weights, options: place.passes,
      keeping: place.kept(of: plan))
    let text = PromptEmbedding(
      hiddenStates: Waves.tensor(
        .hiddenStates, [place.tokenCount, configuration.crossAttentionDim[0]]),
      pooled: Waves.tensor(.pooled, [configuration.pooledDim]))
    try predictor.setPrompts(
      [PromptEmbedding](repeating: text, count: batch),
      timeIDs: [[Double]](
        repeating: Waves.timeIDs(resolution: place.resolution), count: batch),
      guidanceScale: 5)
    let maps = featureShapes.map {
      Waves.tensor(.feature, [1, $0[3], $0[1], $0[2]]).channelsLast()
    }
    try predictor.setFeatures([[HostTensor]](repeating: maps, count: batch))
    sample = Waves.tensor(.sample, [batch, configuration.inChannels, side, side]).channelsLast()
  }

  mutating func run(profile: ExecutionProfile?) throws {
    prediction = try predictor(sample, timestep: 500, profile: profile)
  }

  func results() -> [(name: String, tensor: HostTensor)] {
    prediction.map { [("prediction", $0)] } ?? []
  }
}
