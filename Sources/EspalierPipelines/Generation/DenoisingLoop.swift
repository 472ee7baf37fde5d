import EspalierHost
import EspalierTensors

/// The scheduler's loop over the model calls of a part of the pictures.
struct DenoisingLoop {
  let configuration: GenerationConfiguration
  let plan: GenerationPlan
  let embeddings: PromptEmbeddings
  /// Feature maps by set of control images; empty without adapter.
  let features: [[HostTensor]]
  let scheduler: NoiseScheduler
  /// `[N, C, h, w]` of all pictures.
  let shape: Shape
  let isGuided: Bool
  private var initial: [Float] = []
  private var noise: NoiseStream

  init(
    configuration: GenerationConfiguration, plan: GenerationPlan, embeddings: PromptEmbeddings,
    features: [[HostTensor]], scheduler: NoiseScheduler, shape: Shape, isGuided: Bool
  ) {
    self.configuration = configuration
    self.plan = plan
    self.embeddings = embeddings
    self.features = features
    self.scheduler = scheduler
    self.shape = shape
    self.isGuided = isGuided
    noise = NoiseStream(
      seed: configuration.seed, total: shape[0], elements: shape.count / shape[0])
  }

  /// Elements of one picture's latents.
  private var elements: Int { shape.count / shape[0] }

  /// Draws or takes the initial noise of all pictures and scales it for the scheduler, whose steps are set.
  ///
  /// - Throws: `PipelineError.setting` if the given latents have another shape.
  mutating func drawInitialLatents() throws(PipelineError) {
    let drawn: [Float]
    if let given = configuration.latents {
      guard given.shape == shape else {
        throw .setting("the shape of the latents", expected: "\(shape)", found: "\(given.shape)")
      }
      drawn = given.floats()
    } else {
      drawn = noise.next(0..<shape[0])
    }
    let sigma = Float(scheduler.initNoiseSigma)
    initial = drawn.map { $0 * sigma }
  }

  /// Denoises the pictures `rows`.
  ///
  /// - Parameter stepped: Called after each model call.
  /// - Returns: Their latents, in the order of `shape`.
  func run(
    _ rows: Range<Int>, _ predictor: NoisePredictor, stepped: () -> Void
  ) throws -> [Float] {
    let part = Shape([rows.count] + shape.dims.dropFirst())
    var noise = noise  // every part draws what all parts draw
    var latents = Array(initial[rows.lowerBound * elements..<rows.upperBound * elements])
    try setPrompts(rows, predictor)
    try scheduler.setTimesteps(configuration.numInferenceSteps)
    let timesteps = scheduler.timesteps
    let lastWithAdapter = configuration.callsWithAdapter(of: timesteps.count)
    try predictor.setFeatures(lastWithAdapter > 0 ? maps(rows) : nil)
    for (call, timestep) in timesteps.enumerated() {
      if HostServices.isCancelled { throw PipelineError.cancelled }
      if call == lastWithAdapter { try predictor.setFeatures(nil) }
      let scaled = try scheduler.scaleModelInput(call: call, sample: latents)
      let input = HostTensor(scaled, shape: part).channelsLast()
      let prediction = try predictor(
        isGuided ? .concatenated([input, input]) : input, timestep: timestep)
      latents = try scheduler.step(
        call: call, modelOutput: guided(prediction, part), sample: latents,
        noise: scheduler.needsNoise(call: call) ? noise.next(rows) : nil
      ).previousSample
      stepped()
    }
    return latents
  }

  /// Applies the guidance and returns to the order of the latents.
  private func guided(_ prediction: HostTensor, _ part: Shape) -> [Float] {
    let map = Shape([part[0], part[2], part[3], part[1]])
    var values = prediction.floats()
    if isGuided {
      let guidance = Guidance(
        scale: configuration.guidanceScale, rescale: configuration.guidanceRescale)
      values = guidance(
        negative: values[..<part.count], positive: values[part.count...], count: elements)
    }
    return HostTensor(values, shape: map).channelsFirst().floats()
  }

  private func setPrompts(_ rows: Range<Int>, _ predictor: NoisePredictor) throws {
    let prompts = rows.map { plan.rows[$0].prompt }
    let positive = prompts.map { embeddings.prompts[$0] }
    let all = isGuided ? prompts.map { embeddings.negative[$0] } + positive : positive
    let (height, width) = (Double(plan.height), Double(plan.width))
    let timeIDs = [height, width, 0, 0, height, width]
    try predictor.setPrompts(
      all, timeIDs: [[Double]](repeating: timeIDs, count: all.count),
      guidanceScale: configuration.guidanceScale)
  }

  /// The feature maps of each sample; nil without adapter.
  private func maps(_ rows: Range<Int>) -> [[HostTensor]]? {
    if features.isEmpty { return nil }
    let maps = rows.compactMap { row in plan.rows[row].imageSet.map { features[$0] } }
    return isGuided ? maps + maps : maps
  }
}
