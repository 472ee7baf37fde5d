import EspalierCheckpoints
import EspalierPipelines
import Foundation

/// The content of a component's files, so that cached results are never taken for another model's.
enum ModelFingerprint {
  /// A hash over configuration and weights, or over all files of a tokenizer.
  ///
  /// - Throws: `FileError`, `CheckpointError`, `PipelineError`.
  static func hash(
    _ components: [DiffusionFolder.Component], of folder: DiffusionFolder
  ) throws -> String {
    let hasher = ContentHasher()
    for component in components {
      hasher.combine(component.rawValue)
      for file in try files(component, of: folder) {
        hasher.combine(try ContentHash(contentsOf: file).description)
      }
    }
    return hasher.finish().description
  }

  private static func files(
    _ component: DiffusionFolder.Component, of folder: DiffusionFolder
  ) throws -> [String] {
    let path = try folder.folder(of: component)
    switch component {
    case .tokenizer, .tokenizer2:
      let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
      return names.filter { $0.hasSuffix(".json") || $0.hasSuffix(".txt") }.sorted()
        .map { path + "/" + $0 }
    case .textEncoder, .textEncoder2, .unet, .vae, .scheduler:
      return [path + "/config.json"] + (try folder.checkpoint(of: component).files)
    }
  }
}
