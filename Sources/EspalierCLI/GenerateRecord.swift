import ArgumentParser
import EspalierCheckpoints
import EspalierHost
import EspalierPipelines
import Foundation

/// The settings of a generation as PNG files carry them: names of files without their folders.
struct GenerateRecord {
  private struct Parameters: Encodable {
    var program: String
    var model: String
    var vae: String?
    var adapters: [String]
    var images: [String]
    var prompt: String
    var negativePrompt: String?
    var scheduler: String
    /// What its short name and the command line set, by key.
    var schedulerOptions: [String: String]?
    var numInferenceSteps: Int
    var guidanceScale: Double
    var guidanceRescale: Double
    var adapterConditioningScale: [Double]
    var adapterConditioningFactor: Double
    var clipSkip: Int?
    var height: Int
    var width: Int
    var seed: Int
    /// The picture's place among all that were drawn from the seed, and their number.
    var imageIndex: Int
    var imageCount: Int
    var mixedPrecision: String
    var backend: String
    var device: String
  }

  private let command: Generate
  private let settings: GenerationConfiguration
  private let scheduler: NoiseScheduler
  private let device: ComputeDevice
  private let result: Generation

  init(
    _ command: Generate, _ settings: GenerationConfiguration, scheduler: NoiseScheduler,
    device: ComputeDevice, result: Generation
  ) {
    self.command = command
    self.settings = settings
    self.scheduler = scheduler
    self.device = device
    self.result = result
  }

  /// The settings of one picture; keys are the names of the flags.
  func json(picture index: Int) throws -> String {
    let source = result.sources[index]
    let adapters = command.model.adapters.map(Self.baseName)
    let images = source.imageSet.map { set in
      command.picture.images[set * adapters.count..<(set + 1) * adapters.count].map(Self.baseName)
    }
    let parameters = Parameters(
      program: "espalier \(Espalier.configuration.version)",
      model: Self.baseName(command.model.model), vae: command.model.vae.map(Self.baseName),
      adapters: adapters, images: images ?? [], prompt: source.prompt,
      negativePrompt: source.negativePrompt, scheduler: scheduler.className,
      schedulerOptions: scheduler.replaced.isEmpty
        ? nil
        : Dictionary(scheduler.replaced.map { ($0.key, $0.value.optionText) }) { $1 },
      numInferenceSteps: settings.numInferenceSteps, guidanceScale: settings.guidanceScale,
      guidanceRescale: settings.guidanceRescale,
      adapterConditioningScale: adapters.isEmpty ? [] : settings.adapterConditioningScale,
      adapterConditioningFactor: settings.adapterConditioningFactor, clipSkip: settings.clipSkip,
      height: result.height, width: result.width, seed: settings.seed, imageIndex: index,
      imageCount: result.sources.count, mixedPrecision: command.model.mixedPrecision.rawValue,
      backend: device.backendName, device: device.info.name)
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(parameters), as: UTF8.self)
  }

  /// The last part of a path; of a relative one such as `.`, the folder's name.
  private static func baseName(_ path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.lastPathComponent
  }
}
