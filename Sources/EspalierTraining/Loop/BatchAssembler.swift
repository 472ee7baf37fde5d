import EspalierHost
import EspalierTensors

/// Makes the batches of a run: a pure function of the data, the seed and the position.
struct BatchAssembler {
  let data: PreparedData
  let scheduler: NoiseScheduler
  let trainTimesteps: Int
  let configuration: TrainingConfiguration
  let seed: UInt64
  private var stream: SampleStream

  init(
    data: PreparedData, scheduler: NoiseScheduler, trainTimesteps: Int,
    configuration: TrainingConfiguration, seed: UInt64
  ) {
    self.data = data
    self.scheduler = scheduler
    self.trainTimesteps = trainTimesteps
    self.configuration = configuration
    self.seed = seed
    stream = SampleStream(seed: seed, count: data.samples.count)
  }

  /// The names of a batch's samples, for messages.
  mutating func names(microStep: Int) -> [String] {
    positions(microStep).map { data.samples[stream.sample(at: $0)].name }
  }

  /// The batch of a micro-step, counted from 0 over the whole run.
  ///
  /// - Throws: `SchedulerError`, or what the caches' files throw.
  mutating func batch(microStep: Int) throws -> TrainingBatch {
    var original: [Float] = []
    var noise: [Float] = []
    var control: [Float] = []
    var hidden: [Float] = []
    var pooled: [Float] = []
    var timesteps: [Double] = []
    var timeIDs: [[Double]] = []
    var shapes = (latent: Shape([]), control: Shape([]), hidden: Shape([]), pooled: Shape([]))
    for position in positions(microStep) {
      let index = stream.sample(at: position)
      let sample = data.samples[index]
      let latent = try self.latent(sample, position)
      original += latent.values
      noise += random(.noise, position).normals(latent.values.count)
      control += sample.control.floats().map { $0 / 255 }
      let text = try text(sample, index: index, position: position)
      hidden += text.hiddenStates.floats()
      pooled += text.pooled.floats()
      let uniform = random(.timestep, position).uniforms(1)[0]
      timesteps.append(Double(TimestepSampler.cubic(uniform, count: trainTimesteps)))
      timeIDs.append(sample.timeIDs)
      shapes = (
        latent.shape, sample.control.shape, text.hiddenStates.shape, text.pooled.shape
      )
    }
    let size = configuration.trainBatchSize
    let noisy = try scheduler.addNoise(
      timesteps: timesteps, original: original, noise: noise)
    let target = try scheduler.trainingTarget(
      timesteps: timesteps, original: original, noise: noise)
    func batched(_ values: [Float], _ shape: Shape) -> HostTensor {
      HostTensor(values, shape: Shape([size] + shape.dims))
    }
    return TrainingBatch(
      sample: batched(noisy, shapes.latent), timesteps: timesteps,
      textEmbeds: batched(pooled, shapes.pooled), timeIDs: timeIDs,
      encoderHiddenStates: batched(hidden, shapes.hidden),
      control: batched(control, shapes.control), target: batched(target, shapes.latent),
      weights: HostTensor([Float](repeating: 1, count: size), shape: [size]))
  }

  private func positions(_ microStep: Int) -> Range<Int> {
    let first = microStep * configuration.trainBatchSize
    return first..<first + configuration.trainBatchSize
  }

  /// A stream of its own for each place in the run.
  private func random(_ purpose: CounterRandom.Purpose, _ position: Int) -> CounterRandom {
    CounterRandom(seed: seed, purpose: purpose, sample: UInt64(position))
  }

  /// A draw from the posterior, scaled: `(mean + std·ε) · scaling_factor`.
  private func latent(
    _ sample: PreparedData.Sample, _ position: Int
  ) throws -> (values: [Float], shape: Shape) {
    guard let moments = try data.latents.tensor(sample.latent) else {
      preconditionFailure("no latents of a sample of the data set")
    }
    let channels = moments.shape.last / 2
    let shape = moments.shape.withLast(channels)
    let values = moments.floats()
    let epsilon = random(.latentSample, position).normals(shape.count)
    let factor = Float(data.scalingFactor)
    let result = (0..<shape.count).map { k in
      let base = k / channels * 2 * channels + k % channels
      return (values[base] + values[base + channels] * epsilon[k]) * factor
    }
    return (result, shape)
  }

  /// The caption's embedding, or the empty one. The reference draws once per sample for the whole run; here
  /// it is drawn anew each epoch.
  private func text(
    _ sample: PreparedData.Sample, index: Int, position: Int
  ) throws -> TextEmbeddings.Entry {
    let epoch = configuration.compatibility == .reference ? 0 : stream.epoch(of: position)
    let draw = CounterRandom(
      seed: seed, purpose: .captionDropout, sample: UInt64(index), step: UInt64(epoch))
    let values = draw.uniforms(2)
    if Double(values[0]) < configuration.proportionEmptyPrompts { return data.texts.empty }
    let choice = min(
      Int(values[1] * Float(sample.captions.count)), sample.captions.count - 1)
    let caption = sample.captions[choice]
    return caption.isEmpty ? data.texts.empty : try data.texts.entry(caption)
  }
}
