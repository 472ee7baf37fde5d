import EspalierHost
import EspalierImages
import EspalierModels
import EspalierPipelines
import EspalierTensors

/// Generates the validation pictures of a run: 20 steps with the base model's own scheduler, guidance 5, the
/// same seed every time, so that the pictures of different steps can be compared.
final class ValidationRun {
  private let folder: DiffusionFolder
  private let adapter: T2IAdapterConfiguration
  private let device: ComputeDevice
  private let unetWeights: DeviceWeights
  private let arenas: ArenaPool
  private let vaeTiling: VAETiling
  private let storage: DType?
  private let generation: GenerationConfiguration
  private let scheduler: NoiseScheduler
  private let outputDir: String
  private weak var observer: (any TrainingObserver)?
  private var embeddings: PromptEmbeddings?

  /// - Throws: `ImageError` if a validation image cannot be read, `PluginError`, `PipelineError`.
  init(
    _ configuration: TrainingConfiguration, folder: DiffusionFolder,
    adapter: T2IAdapterConfiguration, registry: PluginRegistry, device: ComputeDevice,
    unetWeights: DeviceWeights, arenas: ArenaPool, seed: UInt64,
    observer: (any TrainingObserver)?
  ) throws {
    self.folder = folder
    self.adapter = adapter
    self.device = device
    self.unetWeights = unetWeights
    self.arenas = arenas
    vaeTiling = configuration.vaeTiling
    self.observer = observer
    storage = configuration.mixedPrecision.weightType
    outputDir = configuration.outputDir
    let images = try configuration.validationImages.map { try Image(contentsOf: $0) }
    let prompts = configuration.validationPrompts
    var generation = GenerationConfiguration(
      prompts: prompts.count == 1 && images.count > 1
        ? images.map { _ in prompts[0] } : prompts)
    generation.images = images.map { [$0] }
    generation.numInferenceSteps = 20
    generation.numImagesPerPrompt = configuration.numValidationImages
    generation.seed = Int(truncatingIfNeeded: seed)
    generation.height = configuration.resolution
    generation.width = configuration.resolution
    self.generation = generation
    let base = try folder.scheduler()
    scheduler = try registry.scheduler(
      named: base.className ?? "EulerDiscreteScheduler", configuration: base.configuration)
    _ = try pipeline([:]).check(generation)
  }

  /// What generating takes by itself; nothing is loaded.
  ///
  /// - Throws: As `StableDiffusionXLAdapterPipeline.plan`.
  func plan() throws -> RunPlan { try pipeline([:]).plan(generation) }

  /// Encodes the prompts, which stay the same for the whole run, while nothing else is in memory.
  ///
  /// - Throws: As `StableDiffusionXLAdapterPipeline.encode`.
  func encodePrompts() throws { embeddings = try pipeline([:]).encode(generation) }

  /// Generates, saves under `validation/step-STEP/` and tells the loggers.
  ///
  /// - Parameter plan: That of the whole run, which has been checked.
  func run(
    step: Int, parameters: TrainedParameters, loggers: LoggerSet, plan: RunPlan
  ) throws {
    let pipeline = try pipeline(Self.values(parameters.read(.parameter)))
    // Those of the training step that serve here too are there already.
    let result = try pipeline.generate(
      generation, embeddings: embeddings, plan: plan, keeping: plan.copies(of: TrainingStep.name)
    ) { [observer] event in
      if case .step(let done, let total) = event {
        observer?.preparing("generating validation images", done: done, total: total)
      }
    }
    let path = outputDir + "/validation/step-\(step)"
    try Folder.make(path)
    for (index, image) in result.images.enumerated() {
      let prompt = result.sources[index].prompt
      try image.writePNG(to: path + "/\(index).png", text: ["prompt": prompt, "step": "\(step)"])
    }
    loggers.images(
      step: step, tag: "validation",
      recorded(result))
    observer?.note("validation images of step \(step) are in \(path)")
  }

  /// What the loggers get: each control image before the pictures that were made from it.
  ///
  /// Source: `log_validation` of the reference script.
  private func recorded(_ result: Generation) -> [MetricImage] {
    var last: Int?
    return zip(result.images, result.sources).flatMap { image, source in
      var images = [
        MetricImage(
          caption: source.prompt, width: image.width, height: image.height, rgb: image.bytes)
      ]
      if let set = source.imageSet, set != last, let control = generation.images[set].first {
        let shown = control.rgb8().resized(
          width: result.width, height: result.height, filter: .lanczos)
        images.insert(
          MetricImage(
            caption: "control image", width: shown.width, height: shown.height, rgb: shown.bytes),
          at: 0)
        last = set
      }
      return images
    }
  }

  /// The parameters by checkpoint key.
  private static func values(_ parameters: [String: HostTensor]) -> [String: HostTensor] {
    Dictionary(
      uniqueKeysWithValues: parameters.map {
        (String($0.key.dropFirst(StateFiles.root.count)), $0.value)
      })
  }

  private func pipeline(_ values: [String: HostTensor]) throws -> StableDiffusionXLAdapterPipeline {
    try StableDiffusionXLAdapterPipeline(
      folder,
      adapters: [
        AdapterComponent(
          T2IAdapter.self, adapter, name: "the adapter in training", parameters: values)
      ],
      scheduler: scheduler, device: device, storage: storage, vaeTiling: vaeTiling,
      unetWeights: unetWeights, arenas: arenas)
  }
}
