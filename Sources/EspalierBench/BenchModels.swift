import EspalierPipelines
import EspalierPresets
import EspalierTensors
import Foundation

/// The models that are measured: folders that are given, else random weights that are made once.
struct BenchModels {
  /// SDXL's folder; nil to make one.
  let sdxl: String?

  /// The folder of a size's model.
  ///
  /// - Throws: `BenchModelError`; what `RandomModel.write` throws.
  func path(_ scale: Scale) throws -> String {
    if let sdxl, scale.preset != Scale.mini.preset { return sdxl }
    let path = try Self.cache + "/\(scale.preset)-f16-seed0"
    if FileManager.default.fileExists(atPath: path + "/model_index.json") { return path }
    guard let preset = ModelPreset.named(scale.preset) else {
      throw BenchModelError.unknownPreset(scale.preset)
    }
    BenchProgress.write("making \(path), once")
    try Folder.make(Self.cache)
    try RandomModel(preset).write(
      to: path, RandomModel.Options(seed: 0, dtype: .float16, maxShardSize: 10_000_000_000))
    return path
  }

  private static var cache: String {
    get throws {
      let environment = ProcessInfo.processInfo.environment
      let base =
        environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        ?? environment["HOME"].map { $0 + "/.cache" }
      guard let base else { throw BenchModelError.noCacheFolder }
      return base + "/espalier/bench"
    }
  }
}

/// Why there is no model to measure.
enum BenchModelError: Error, CustomStringConvertible {
  case unknownPreset(String)
  case noCacheFolder

  var description: String {
    switch self {
    case .unknownPreset(let name): "there is no preset \(name)"
    case .noCacheFolder:
      "there is no place for random models: neither XDG_CACHE_HOME nor HOME is set; "
        + "set one, or name a model folder with --model"
    }
  }
}
