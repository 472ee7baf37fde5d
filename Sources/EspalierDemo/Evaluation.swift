import EspalierDemoKit
import EspalierHost
import EspalierImages
import EspalierModels
import EspalierPipelines
import EspalierTensors

/// The held-out pictures, generated with and without the adapter from the same noise.
struct Evaluation {
  /// Columns of the grid.
  private static let columns = 8

  let entries: [CircleFolder.Entry]
  let device: String
  private let firstSeed: Int
  private let controls: [Image]
  private let targets: [Image]
  private let with: [Image]
  private let without: [Image]

  /// Generates all pictures.
  ///
  /// - Throws: whatever opening or generating throws.
  init(_ command: Evaluate, registry: PluginRegistry) throws {
    let data = CircleFolder(path: command.data)
    let all = try data.entries()
    entries = Array(all.prefix(command.count ?? all.count))
    controls = try entries.map { try Image(contentsOf: data.path + "/" + $0.source) }
    targets = try entries.map { try Image(contentsOf: data.path + "/" + $0.target) }
    try Self.check(zip(entries, controls).map { ($0.source, $1) })
    try Self.check(
      [(entries[0].source, controls[0])] + zip(entries, targets).map { ($0.target, $1) })
    firstSeed = command.seed
    let choice = try registry.backend(named: command.backend)
    let computeDevice = try ComputeDevice(choice.backend, choice.device)
    device = "\(choice.backend.name): \(choice.device)"
    let folder = try DiffusionFolder(path: command.base)
    let scheduler = try registry.scheduler(
      named: "EulerDiscreteScheduler", configuration: folder.scheduler().configuration)
    let adapter = try AdapterComponent(folder: command.adapter)
    let (entries, controls) = (entries, controls)
    func generate(_ adapters: [AdapterComponent]) throws -> [Image] {
      let pipeline = try StableDiffusionXLAdapterPipeline(
        folder, adapters: adapters, scheduler: scheduler, device: computeDevice)
      var configuration = GenerationConfiguration(prompts: entries.map(\.circle.prompt))
      configuration.images = adapters.isEmpty ? [] : controls.map { [$0] }
      configuration.height = controls[0].height
      configuration.width = controls[0].width
      configuration.numInferenceSteps = command.numInferenceSteps
      configuration.guidanceScale = command.guidanceScale
      configuration.maxBatchSize = 8
      configuration.latents = Self.noise(
        seeds: entries.indices.map { command.seed + $0 }, channels: pipeline.vae.latentChannels,
        height: controls[0].height / pipeline.vae.downscaleFactor,
        width: controls[0].width / pipeline.vae.downscaleFactor)
      return try pipeline.generate(configuration).images
    }
    without = try generate([])
    with = try generate([adapter])
  }

  /// The fidelity of every picture.
  func report(_ least: Double, _ mostWithout: Double) -> FidelityReport {
    let pictures = entries.indices.map { index in
      let entry = entries[index]
      return FidelityReport.Picture(
        prompt: entry.circle.prompt, source: entry.source, seed: firstSeed + index,
        withAdapter: entry.circle.fidelity(of: with[index]),
        withoutAdapter: entry.circle.fidelity(of: without[index]))
    }
    return FidelityReport(
      pictures: pictures, leastWithAdapter: least, mostWithoutAdapter: mostWithout)
  }

  /// Control images, pictures without and with adapter, targets, below each other.
  var grid: Image {
    PictureGrid.image(
      rows: [controls, without, with, targets].map { Array($0.prefix(Self.columns)) })
  }

  /// Expects squares of one size.
  private static func check(_ pictures: [(name: String, image: Image)]) throws(UnequalPictures) {
    let side = pictures[0].image.height
    for (name, image) in pictures where image.width != side || image.height != side {
      throw UnequalPictures(name: name, side: side, width: image.width, height: image.height)
    }
  }

  /// A picture's noise is the stream of its own seed, whatever other pictures there are.
  private static func noise(
    seeds: [Int], channels: Int, height: Int, width: Int
  ) -> HostTensor {
    let values = seeds.flatMap { seed in
      var generator = TorchGenerator(seed: seed)
      return generator.randn(channels * height * width)
    }
    return HostTensor(values, shape: [seeds.count, channels, height, width])
  }
}

/// The held-out pictures are not squares of one size.
struct UnequalPictures: Error, CustomStringConvertible {
  let name: String
  let side: Int
  let width: Int
  let height: Int

  var description: String {
    """
    the held-out pictures are not squares of one size
      file      \(name)
      expected  \(side) × \(side)
      found     \(width) × \(height)
      hint      draw them again with 'espalier-demo make-data'
    """
  }
}
