import EspalierCheckpoints
import EspalierHost
import EspalierImages
import EspalierPipelines
import EspalierTensors

/// One run of `espalier generate`.
struct GenerateRun {
  let command: Generate
  let seed: Int
  let registry: PluginRegistry

  private var model: GenerateModelOptions { command.model }

  func run() throws {
    let (pipeline, settings, device) = try open()
    let size = try pipeline.check(settings)
    let plan = try pipeline.plan(settings)
    try plan.check(on: device) { remedy(pipeline, settings) }
    let files = try GenerateFiles(command.output, count: size.count, seed: seed)
    StandardError.write(PlanReport(plan, on: device, measures: .longRuns).outline)
    let profile = command.output.profile.map { _ in ExecutionProfile() }
    let progress = GenerateProgress()
    let result = try pipeline.generate(
      settings, plan: plan, profile: profile, report: progress.report)
    let record = GenerateRecord(
      command, settings, scheduler: pipeline.scheduler, device: device, result: result)
    for (index, (image, path)) in zip(result.images, files.images).enumerated() {
      try image.writePNG(to: path, text: ["parameters": record.json(picture: index)])
      print(path)
    }
    if let path = command.output.latents {
      try SafetensorsWriter.write([(name: "latents", tensor: result.latents)], to: path)
    }
    if let path = command.output.profile, let profile {
      StandardError.write(try ProfileTrace.write(profile, to: path))
    }
  }

  /// Everything that the flags choose; no weights are read.
  func open() throws -> (
    pipeline: StableDiffusionXLAdapterPipeline, settings: GenerationConfiguration,
    device: ComputeDevice
  ) {
    var settings = command.settings(seed: seed)
    settings.images = try controlImages()
    let choice = try registry.backend(named: model.backend)
    let device = try model.backendOptions.open(choice)
    return (
      try pipeline(device, Choices(model, settings)), settings, device
    )
  }

  private func pipeline(
    _ device: ComputeDevice, _ choices: Choices
  ) throws -> StableDiffusionXLAdapterPipeline {
    let folder = try DiffusionFolder(path: model.model, variant: model.variant, vaePath: model.vae)
    return try StableDiffusionXLAdapterPipeline(
      folder,
      adapters: try model.adapters.map {
        try AdapterComponent(folder: $0, storage: choices.storage)
      },
      scheduler: scheduler(folder), device: device, storage: choices.storage,
      vaeTiling: choices.tiling, weightCache: choices.cache)
  }

  /// What flags may change to make a generation fit.
  private struct Choices {
    var tiling: VAETiling
    var cache: WeightCache
    var storage: DType?
    var settings: GenerationConfiguration

    init(_ model: GenerateModelOptions, _ settings: GenerationConfiguration) {
      (tiling, cache) = (model.vaeTiling, model.weightCache)
      storage = model.mixedPrecision.storage
      self.settings = settings
    }
  }

  /// Flags that would make a generation fit that does not; nil if none of them helps.
  func remedy(
    _ pipeline: StableDiffusionXLAdapterPipeline, _ settings: GenerationConfiguration
  ) -> String? {
    typealias Change = PlanRemedies<Choices>.Change
    var changes: [Change] = []
    if case .bytes = model.weightCache {
      changes.append(Change("--weight_cache none") { $0.cache = .none })
    }
    if model.vaeTiling != .on {
      changes.append(Change("--vae_tiling on") { $0.tiling = .on })
    }
    if settings.maxBatchSize > 1 {
      changes.append(Change("--max_batch_size 1") { $0.settings.maxBatchSize = 1 })
    }
    if model.mixedPrecision == .no {
      changes.append(Change("--mixed_precision fp16") { $0.storage = .float16 })
    }
    if let size = try? pipeline.check(settings) {
      for divisor in [2, 4] {
        let (height, width) = (size.height / divisor / 64 * 64, size.width / divisor / 64 * 64)
        guard height > 0, width > 0 else { break }
        changes.append(
          Change("--height \(height) --width \(width)") {
            ($0.settings.height, $0.settings.width) = (height, width)
          })
      }
    }
    return PlanRemedies(Choices(model, settings), changes) {
      try self.pipeline(pipeline.device, $0).plan($0.settings)
    }.text(on: pipeline.device)
  }

  private func scheduler(_ folder: DiffusionFolder) throws -> NoiseScheduler {
    let (className, configuration) = try folder.scheduler(
      configuration: model.schedulerConfiguration)
    return try registry.scheduler(
      named: model.scheduler ?? className ?? "EulerDiscreteScheduler",
      configuration: configuration, options: model.schedulerAssignments)
  }

  /// The images in sets of one for each adapter.
  private func controlImages() throws -> [[Image]] {
    let images = try command.picture.images.map { try Image(contentsOf: $0) }
    let adapters = model.adapters.count
    if adapters == 0 { return [] }
    return stride(from: 0, to: images.count, by: adapters).map {
      Array(images[$0..<min($0 + adapters, images.count)])
    }
  }
}
