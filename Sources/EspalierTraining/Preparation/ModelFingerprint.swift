import EspalierCheckpoints
import EspalierPipelines

/// The content of a component's files, so that cached results are never taken for another model's.
enum ModelFingerprint {
  /// A hash over configuration and weights, or over all files of a tokenizer; the same for one file of weights and
  /// for several.
  ///
  /// - Throws: `FileError`, `CheckpointError`, `PipelineError`.
  static func hash(
    _ components: [DiffusionFolder.Component], of folder: DiffusionFolder
  ) throws -> String {
    let hasher = ContentHasher()
    for component in components {
      hasher.combine(component.rawValue)
      switch component {
      case .tokenizer, .tokenizer2:
        for (name, bytes) in try folder.tokenizerFiles(component).sorted(by: { $0.key < $1.key }) {
          hasher.combine(name)
          hasher.combine(bytes.count)
          bytes.withUnsafeBytes { hasher.update($0) }
        }
      case .textEncoder, .textEncoder2, .unet, .vae, .scheduler:
        hasher.combine(try folder.configurationText(of: component))
        hasher.combine(try folder.checkpoint(of: component).contentHash().description)
      }
    }
    return hasher.finish().description
  }
}
