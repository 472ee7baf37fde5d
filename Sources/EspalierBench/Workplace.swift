import EspalierCheckpoints
import EspalierGraph
import EspalierHost
import EspalierModels
import EspalierPipelines
import EspalierTensors
import EspalierTraining

/// The opened model and device of one measurement.
struct Workplace {
  /// The side of the pictures in pixels.
  let resolution: Int
  let passes: GraphOptions
  let folder: DiffusionFolder
  let device: ComputeDevice
  let weightCache: WeightCache

  /// The copies of weights that a program that runs very often keeps.
  func kept(of plan: ProgramPlan) -> KeptCopies {
    let limit = weightCache.limit(on: device, beside: [plan.need])
    return KeptCopies(of: [(plan.copies, 1 << 20)], within: limit)
  }

  /// The sides of the latents.
  func latentSide(_ vae: AutoencoderKLConfiguration) -> Int {
    resolution / vae.downscaleFactor
  }

  var tokenCount: Int { 77 }

  /// An adapter that fits the UNet.
  func adapter() throws -> T2IAdapterConfiguration {
    let unet = try folder.open(.unet, as: UNet2DConditionModel.self).configuration
    let levels = unet.blockOutChannels
    return T2IAdapterConfiguration(
      adapterType: .fullXL, inChannels: 3, channels: levels + levels.suffix(1), numResBlocks: 2,
      downscaleFactor: 16)
  }

  /// Its parameters on the device, the same in PyTorch.
  func adapterParameters(_ adapter: T2IAdapterConfiguration) throws -> TrainedParameters {
    let initial = T2IAdapter.initialParameters(adapter) { count in
      Waves.values(.parameter, count: count).map { ($0 + 1) / 2 }
    }
    return try TrainedParameters(
      device,
      initial: Dictionary(uniqueKeysWithValues: initial.map { ("adapter." + $0.key, $0.tensor) }))
  }

  /// Control images `[count, H, W, 3]` in 0…1.
  func control(count: Int) -> HostTensor {
    let side = resolution
    let values = Waves.values(.control, count: count * 3 * side * side).map { ($0 + 1) / 2 }
    return HostTensor(values, shape: [count, 3, side, side]).channelsLast()
  }

  /// Makes the job of a piece of work.
  func job(_ work: Work) throws -> any Job {
    switch work {
    case .trainingStep(let batch, _): try TrainingJob(self, batchSize: batch)
    case .unet(let batch): try UNetJob(self, batch: batch)
    case .vaeDecode: try DecodingJob(self)
    case .vaeEncode: try EncodingJob(self)
    case .textEncoders: try TextEncodersJob(self)
    case .adapter: try AdapterJob(self)
    case .operation(let shape): try OperationJob(self, shape)
    }
  }
}

/// A piece of work that is ready to be repeated.
protocol Job {
  /// Does it once more.
  mutating func run(profile: ExecutionProfile?) throws
  /// What came out, by names and in layouts that PyTorch's script uses too.
  func results() throws -> [(name: String, tensor: HostTensor)]
}
