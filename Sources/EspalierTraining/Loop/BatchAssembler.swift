import EspalierDatasets
import EspalierHost
import EspalierModels
import EspalierPipelines
import EspalierTensors

/// Makes the batches of a run: a pure function of the data, the seed and the position.
struct BatchAssembler {
  let data: PreparedData
  let scheduler: NoiseScheduler
  let vae: AutoencoderKLConfiguration
  let configuration: TrainingConfiguration
  let seed: UInt64
  /// Noise levels that the base model was trained with.
  let trainTimesteps: Int
  private var order: SampleOrder

  init(
    data: PreparedData, scheduler: NoiseScheduler, vae: AutoencoderKLConfiguration,
    configuration: TrainingConfiguration, seed: UInt64, trainTimesteps: Int
  ) {
    self.data = data
    self.scheduler = scheduler
    self.vae = vae
    self.configuration = configuration
    self.seed = seed
    self.trainTimesteps = trainTimesteps
    order = SampleOrder(count: data.samples.count, seed: seed)
  }

  /// The names of a batch's samples, for messages.
  mutating func names(microStep: Int) -> [String] {
    places(microStep).map { data.samples[order.sample(at: $0)].name }
  }

  /// The batch of a micro-step, counted from 0 over the whole run.
  ///
  /// - Throws: `SchedulerError`, `DatasetError`, `TrainingError`, or what the caches' files throw.
  mutating func batch(microStep: Int) throws -> TrainingBatch {
    let places = Array(places(microStep))
    let indices = places.map { order.sample(at: $0) }
    let latents = try zip(places, indices).map { try latent(data.samples[$1], place: $0) }
    let texts = try zip(places, indices).map { place, index in
      try data.texts.embedding(of: caption(index: index, place: place))
    }
    let timesteps = places.map { place in
      let uniform = random(.timestep, place).uniforms(1)[0]
      return Double(TimestepSampler.cubic(uniform, count: trainTimesteps))
    }
    let original = latents.flatMap { $0.floats() }
    let noise = zip(places, latents).flatMap { random(.noise, $0).normals($1.count) }
    let shape = Shape([places.count] + (latents.first?.shape.dims ?? []))
    let noisy = try scheduler.addNoise(timesteps: timesteps, original: original, noise: noise)
    let target = try scheduler.trainingTarget(
      timesteps: timesteps, original: original, noise: noise)
    return TrainingBatch(
      sample: HostTensor(noisy, shape: shape), timesteps: timesteps,
      textEmbeds: .stacked(texts.map(\.pooled)), timeIDs: indices.map { data.samples[$0].timeIDs },
      encoderHiddenStates: .stacked(texts.map(\.hiddenStates)),
      control: try data.controls.batch(indices), target: HostTensor(target, shape: shape),
      weights: HostTensor([Float](repeating: 1, count: places.count), shape: [places.count]))
  }

  private func places(_ microStep: Int) -> Range<Int> {
    let first = microStep * configuration.trainBatchSize
    return first..<first + configuration.trainBatchSize
  }

  /// A stream of its own for each place in the run.
  private func random(_ purpose: CounterRandom.Purpose, _ place: Int) -> CounterRandom {
    CounterRandom(seed: seed, purpose: purpose, sample: UInt64(place))
  }

  /// A draw from the posterior, scaled, `[h, w, C]`.
  private func latent(_ sample: PreparedData.Sample, place: Int) throws -> HostTensor {
    guard let moments = try data.latents.tensor(sample.latent) else {
      throw TrainingError.cacheIncomplete(what: sample.name)
    }
    let channels = moments.shape.last / 2
    let shape = moments.shape.withLast(channels)
    let values = moments.floats()
    let epsilon = random(.latentSample, place).normals(shape.count)
    let drawn = (0..<shape.count).map { k in
      let base = k / channels * 2 * channels + k % channels
      return values[base] + values[base + channels] * epsilon[k]
    }
    return vae.scaled(HostTensor(drawn, shape: shape))
  }

  /// The caption of a place, empty if it is dropped. The reference draws once per sample for the whole run;
  /// here it is drawn anew each epoch.
  private func caption(index: Int, place: Int) -> String {
    let epoch = configuration.compatibility == .reference ? 0 : order.epoch(at: place)
    let draw = CounterRandom(
      seed: seed, purpose: .captionDropout, sample: UInt64(index), step: UInt64(epoch))
    let values = draw.uniforms(2)
    if Double(values[0]) < configuration.proportionEmptyPrompts { return "" }
    let captions = data.samples[index].captions
    return captions[min(Int(values[1] * Float(captions.count)), captions.count - 1)]
  }
}
