public import EspalierCheckpoints
public import EspalierModels
import EspalierPresets
public import EspalierTensors
public import EspalierTokenizers
import Foundation

/// Configurations, weights and tokenizers, from wherever the model has them.
extension DiffusionFolder {
  /// The component's folder.
  ///
  /// - Throws: `PipelineError.missingComponent`.
  private func folder(of component: Component) throws(PipelineError) -> String {
    if component == .vae, let vaePath, FileSystem.isFolder(vaePath) { return vaePath }
    let folder = FileSystem.join(path, component.rawValue)
    guard FileSystem.isFolder(folder) else {
      throw .missingComponent(
        component.rawValue, model: path,
        hint: component == .textEncoder
          ? "is this SDXL's refiner? Espalier works with the base model"
          : "is the download complete?")
    }
    return folder
  }

  /// The component's `config.json`, or the scheduler's `scheduler_config.json`.
  ///
  /// - Throws: `PipelineError.missingComponent`, `CheckpointError`.
  public func configuration(of component: Component) throws -> JSONObject {
    if let singleFile, !hasForeignFolder(component) {
      return try singleFile.configuration(of: component)
    }
    return try JSONObject(contentsOf: try configurationPath(component))
  }

  /// The text of a component's configuration.
  ///
  /// - Throws: `PipelineError.missingComponent`, `CheckpointError`, `FileError`.
  public func configurationText(of component: Component) throws -> String {
    if let singleFile, !hasForeignFolder(component) {
      let path = SingleFileModel.configurationPath(component)
      return String(decoding: singleFile.preset.bytes(of: path) ?? [], as: UTF8.self)
    }
    return try Self.text(of: try configurationPath(component))
  }

  private func configurationPath(_ component: Component) throws(PipelineError) -> String {
    let name = component == .scheduler ? "scheduler_config.json" : "config.json"
    return FileSystem.join(try folder(of: component), name)
  }

  /// True for a VAE in another model's folder.
  private func hasForeignFolder(_ component: Component) -> Bool {
    component == .vae && vaePath.map(FileSystem.isFolder) == true
  }

  /// The component's weights, opened and not read.
  ///
  /// A VAE from elsewhere need not have the model's variant.
  ///
  /// - Throws: `PipelineError`, `CheckpointError`.
  public func checkpoint(of component: Component) throws -> Checkpoint {
    if component == .vae, let vaePath {
      if FileSystem.isFile(vaePath) {
        return try VAEFile.checkpoint(
          path: vaePath, configuration: AutoencoderKLConfiguration(configuration(of: .vae)))
      }
      if variant != nil {
        do { return try Checkpoint(folder: vaePath, variant: variant) } catch CheckpointError
          .noWeights
        {}
      }
      return try Checkpoint(folder: vaePath)
    }
    if let singleFile { return try singleFile.checkpoint(of: component) }
    return try Checkpoint(folder: try folder(of: component), variant: variant)
  }

  /// One of the tokenizers.
  ///
  /// - Throws: `PipelineError.missingComponent`, `TokenizerError`, `FileError`.
  public func tokenizer(_ component: Component) throws -> CLIPTokenizer {
    try CLIPTokenizer(
      files: tokenizerFiles(component), title: FileSystem.join(path, component.rawValue))
  }

  /// The contents of a tokenizer's files by name.
  ///
  /// - Throws: `PipelineError.missingComponent`, `FileError`.
  public func tokenizerFiles(_ component: Component) throws -> [String: [UInt8]] {
    if let preset = singleFile?.preset {
      let folder = component.rawValue + "/"
      return preset.paths.filter { $0.hasPrefix(folder) }.reduce(into: [:]) { files, path in
        files[String(path.dropFirst(folder.count))] = preset.bytes(of: path)
      }
    }
    let folder = try folder(of: component)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return try names.filter { $0.hasSuffix(".json") || $0.hasSuffix(".txt") }
      .reduce(into: [:]) { files, name in
        let file = try MappedFile(path: FileSystem.join(folder, name))
        files[name] = withExtendedLifetime(file) { Array(file.bytes) }
      }
  }

  /// A component's configuration, and its weights after a strict check that they fill the model.
  ///
  /// - Parameter storage: The type that the weights are converted to; nil keeps the file's.
  /// - Throws: `PipelineError.missingComponent`; `CheckpointError`, which names the component.
  public func open<M: Model>(
    _ component: Component, as model: M.Type, storage: DType? = nil
  ) throws -> (configuration: M.Configuration, weights: ComponentWeights) {
    let configuration = try M.Configuration(self.configuration(of: component))
    let weights = ComponentWeights(
      name: component.rawValue, checkpoint: try checkpoint(of: component),
      map: configuration.keyMap, storage: storage)
    try weights.report(of: model, configuration).check()
    return (configuration, weights)
  }

  /// The class and the text of `scheduler_config.json`, as `PluginRegistry.scheduler` takes them.
  ///
  /// - Parameter file: Another file in place of the model's.
  /// - Throws: `PipelineError.missingComponent`, `CheckpointError`.
  public func scheduler(configuration file: String? = nil) throws -> (
    className: String?, configuration: String
  ) {
    if let file {
      return (try JSONObject(contentsOf: file).className, try Self.text(of: file))
    }
    return (
      try configuration(of: .scheduler).className, try configurationText(of: .scheduler)
    )
  }

  private static func text(of path: String) throws(FileError) -> String {
    let mapped = try MappedFile(path: path)
    return withExtendedLifetime(mapped) { String(decoding: mapped.bytes, as: UTF8.self) }
  }
}
