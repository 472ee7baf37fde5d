import EspalierGraph
public import EspalierHost
import EspalierModels

extension StableDiffusionXLAdapterPipeline {
  /// What a generation takes: its phases, of which each releases its networks before the next begins. Loads nothing.
  ///
  /// - Parameter encodesPrompts: False if the embeddings are there already.
  /// - Throws: `BackendError.tooLarge`, `.unsupported`; `PipelineError.setting`, `CheckpointError`, `SchedulerError`.
  public func plan(
    _ configuration: GenerationConfiguration, encodesPrompts: Bool = true
  ) throws -> RunPlan {
    let plan = try makePlan(configuration)
    var phases: [PlannedPhase] = []
    if encodesPrompts {
      let negative = guides(configuration) ? configuration.negativePrompts : []
      let texts = Set(
        configuration.prompts + (negative ?? (forceZeros ? [] : [""])))
      phases.append(
        try promptEncoder.phase(textCount: texts.count, clipSkip: configuration.clipSkip ?? 0))
    }
    var featureCount = 0
    if !adapters.isEmpty {
      let adapter = try adapterPhase(plan, runs: configuration.images.count)
      featureCount = adapter.work[0].plan.program.tensors(.output).count
      phases.append(adapter)
    }
    phases.append(try unetPhase(configuration, plan, featureCount: featureCount))
    let (height, width) = (plan.height / vae.downscaleFactor, plan.width / vae.downscaleFactor)
    let decoding = try AutoencoderProgram(
      .decode, autoencoder, height: height, width: width, device: device
    ).plan(vaeTiling, runs: plan.rows.count)
    phases.append(
      PlannedPhase(
        decoding.isBanded ? "VAE decoding, tiled" : "VAE decoding",
        subject: AutoencoderProgram.Direction.decode.subject, memory: decoding.memory,
        work: decoding.work))
    return RunPlan(phases: phases)
  }

  private func adapterPhase(_ plan: GenerationPlan, runs: Int) throws -> PlannedPhase {
    let program = try AdapterFeatures.program(adapters, height: plan.height, width: plan.width)
    let planned = try Executable.plan(
      of: program, on: device, weights: AdapterFeatures.weights(adapters, device))
    return PlannedPhase(
      "adapter", subject: AdapterFeatures.name, memory: planned.need, work: [(planned, runs)])
  }

  /// Full batches of pictures, and one of the rest.
  private func unetPhase(
    _ configuration: GenerationConfiguration, _ plan: GenerationPlan, featureCount: Int
  ) throws -> PlannedPhase {
    try scheduler.setTimesteps(configuration.numInferenceSteps)
    let sizes = plan.batches(of: configuration.maxBatchSize).map(\.count)
    var memory = MemoryNeed()
    var work: [(plan: ProgramPlan, runs: Int)] = []
    for size in Set(sizes).sorted(by: >) {
      let shapes = NoisePredictor.Shapes(
        batch: size * (guides(configuration) ? 2 : 1), height: plan.height / vae.downscaleFactor,
        width: plan.width / vae.downscaleFactor, encoder: promptEncoder,
        featureCount: featureCount)
      let planned = try NoisePredictor.plan(
        denoiser, shapes, device: device, weights: unetWeights())
      if planned.need.resident > memory.resident { memory = planned.need }
      work.append((planned, sizes.count { $0 == size } * scheduler.callCount))
    }
    var phase = PlannedPhase(
      "UNet steps", subject: NoisePredictor.name, memory: memory, work: work)
    phase.keepCopies(weightCache, on: device)
    return phase
  }
}
