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
    var settings = command.settings(seed: seed)
    settings.images = try controlImages()
    let folder = try DiffusionFolder(path: model.model, variant: model.variant, vaePath: model.vae)
    let storage = model.mixedPrecision.storage
    let adapters = try model.adapters.map { try AdapterComponent(folder: $0, storage: storage) }
    let scheduler = try scheduler(folder)
    let choice = try registry.backend(named: model.backend)
    let device = try model.backendOptions.open(choice)
    let pipeline = try StableDiffusionXLAdapterPipeline(
      folder, adapters: adapters, scheduler: scheduler, device: device, storage: storage)
    let size = try pipeline.check(settings)
    let files = try GenerateFiles(command.output, count: size.count, seed: seed)
    let profile = command.output.profile.map { _ in ExecutionProfile() }
    let progress = GenerateProgress()
    let result = try pipeline.generate(settings, profile: profile, report: progress.report)
    let record = GenerateRecord(
      command, settings, scheduler: scheduler, device: device, result: result)
    for (index, (image, path)) in zip(result.images, files.images).enumerated() {
      try image.writePNG(to: path, text: ["parameters": record.json(picture: index)])
      print(path)
    }
    if let path = command.output.latents {
      try SafetensorsWriter.write([(name: "latents", tensor: result.latents)], to: path)
    }
    if let path = command.output.profile, let profile {
      try ProfileTrace.write(profile, to: path)
    }
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
