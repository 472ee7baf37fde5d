import EspalierCheckpoints
import EspalierDatasets
import EspalierHost
import EspalierModels
import EspalierPipelines
import EspalierTensors

/// Reads the data set and computes what does not change: text embeddings and latent moments.
struct DataPreparation {
  let configuration: TrainingConfiguration
  let folder: DiffusionFolder
  let device: ComputeDevice
  let seed: UInt64
  /// Channels of the control images.
  let controlChannels: Int
  weak var observer: (any TrainingObserver)?

  /// - Throws: `DatasetError`, `PipelineError`, `CheckpointError`, `BackendError`, `FileError`.
  func prepare() throws -> PreparedData {
    let rows = try Self.rows(configuration, seed: seed)
    let cacheFolder = configuration.cacheFolder
    let texts = try TextPreparation(
      folder: folder, device: device, configuration: configuration,
      cache: try ContentCache(folder: cacheFolder, name: "text"), observer: observer
    ).embeddings(of: Set(rows.flatMap(\.captions)))
    let latents = try ContentCache(folder: cacheFolder, name: "latents")
    let controls = ControlImageCache(
      samples: rows, resolution: configuration.resolution, channels: controlChannels)
    let samples = try encodeImages(rows, latents, controls)
    return PreparedData(
      samples: samples.map(\.sample), texts: texts, latents: latents, controls: controls,
      fingerprint: fingerprint(samples))
  }

  /// The rows of the data set; where there is a limit, a random part of them.
  static func rows(
    _ configuration: TrainingConfiguration, seed: UInt64
  ) throws -> [TrainingSample] {
    let dataset = try ImageFolderDataset(
      folder: configuration.trainDataDir,
      columns: DatasetColumns(
        image: configuration.imageColumn,
        conditioningImage: configuration.conditioningImageColumn,
        caption: configuration.captionColumn))
    guard let limit = configuration.maxTrainSamples, limit < dataset.samples.count else {
      return dataset.samples
    }
    let order = CounterRandom(seed: seed, purpose: .shuffle, sample: 1)
      .permutation(dataset.samples.count)
    return order.prefix(limit).map { dataset.samples[$0] }
  }

  /// Decodes all pairs, checks them, and encodes the images whose latents are not cached.
  private func encodeImages(
    _ rows: [TrainingSample], _ cache: ContentCache, _ controls: ControlImageCache
  ) throws -> [(sample: PreparedData.Sample, control: String)] {
    let (configuration, channels) = (configuration, controlChannels)
    let model = try ModelFingerprint.hash([.vae], of: folder)
    let pairs = OrderedPrefetch(count: rows.count, workers: configuration.dataloaderNumWorkers) {
      try ImagePair(
        rows[$0], resolution: configuration.resolution, conditioningChannels: channels)
    }
    var encoder: LatentEncoder?
    var result: [(sample: PreparedData.Sample, control: String)] = []
    while let pair = try pairs.next() {
      let index = result.count
      let key = ContentHash("\(model) \(pair.imageKey)").description
      if !cache.contains(key) {
        let encoder = try encoder ?? self.encoder(keeping: &encoder)
        let side = configuration.resolution
        let pixels = pair.imageTensor().reshaped([1, side, side, 3])
        try cache.insert(key, Self.joined(try encoder(pixels)))
      }
      controls.keep(pair.conditioningImage, at: index)
      let sample = PreparedData.Sample(
        name: rows[index].imagePath, captions: rows[index].captions, latent: key,
        timeIDs: timeIDs(pair))
      result.append((sample, pair.conditioningKey.description))
      if index % 50 == 0 || index + 1 == rows.count {
        observer?.preparing("encoding images", done: index + 1, total: rows.count)
      }
      if StopSignal.count > 0 {
        try cache.flush()
        throw TrainingError.interrupted
      }
    }
    try cache.flush()
    return result
  }

  private func encoder(keeping kept: inout LatentEncoder?) throws -> LatentEncoder {
    let encoder = try LatentEncoder(
      folder.autoencoder(), height: configuration.resolution, width: configuration.resolution,
      device: device, tiling: configuration.vaeTiling)
    kept = encoder
    return encoder
  }

  /// Mean and standard deviation `[h, w, 2C]`.
  private static func joined(_ latents: DiagonalGaussianDistribution) -> HostTensor {
    let (mean, std) = (latents.mean.floats(), latents.std.floats())
    let dims = latents.mean.shape.dims
    let channels = dims[3]
    var values: [Float] = []
    values.reserveCapacity(2 * mean.count)
    for start in stride(from: 0, to: mean.count, by: channels) {
      values += mean[start..<start + channels]
      values += std[start..<start + channels]
    }
    return HostTensor(values, shape: [dims[1], dims[2], 2 * channels])
  }

  /// SDXL's micro-conditioning. The reference claims that every image has the target's size and the crop of
  /// the flags; here it is the image's own.
  private func timeIDs(_ pair: ImagePair) -> [Double] {
    let side = Double(configuration.resolution)
    let flags = (configuration.cropsCoordsTopLeftH, configuration.cropsCoordsTopLeftW)
    if configuration.compatibility == .reference {
      return [side, side, Double(flags.0), Double(flags.1), side, side]
    }
    let isGiven = flags != (0, 0)
    return [
      Double(pair.originalSize.height), Double(pair.originalSize.width),
      Double(isGiven ? flags.0 : pair.cropTop), Double(isGiven ? flags.1 : pair.cropLeft), side,
      side,
    ]
  }

  private func fingerprint(
    _ samples: [(sample: PreparedData.Sample, control: String)]
  ) -> String {
    let hasher = ContentHasher()
    for (sample, control) in samples {
      hasher.combine(sample.latent)
      hasher.combine(control)
      for caption in sample.captions { hasher.combine(caption) }
    }
    return hasher.finish().description
  }
}
