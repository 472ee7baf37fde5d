public import EspalierCheckpoints
public import EspalierModels
public import EspalierTensors

/// A Stable Diffusion XL model in Diffusers' layout: `model_index.json` and a folder for each component.
///
/// Opens configurations and weights on demand; holds none.
public struct DiffusionFolder: Sendable {
  /// The parts of the model, by the names of their folders, which are also the roots of their parameter paths.
  public enum Component: String, Sendable, CaseIterable {
    case textEncoder = "text_encoder"
    case textEncoder2 = "text_encoder_2"
    case tokenizer
    case tokenizer2 = "tokenizer_2"
    case unet
    case vae
    case scheduler
  }

  /// As given, without a slash at the end.
  public let path: String
  /// `fp16` for `diffusion_pytorch_model.fp16.safetensors`; nil for the files without a variant.
  public let variant: String?
  /// Another model's VAE that takes the place of this one's.
  public let vaePath: String?
  /// Whether an absent negative prompt is all zeros instead of an encoded empty text.
  public let forceZerosForEmptyPrompt: Bool

  /// Reads `model_index.json`.
  ///
  /// - Parameter vaePath: A VAE's folder, or a model folder with `vae/` in it.
  /// - Throws: `PipelineError.folderNotFound`, `.notAModel`; `CheckpointError`.
  public init(path: String, variant: String? = nil, vaePath: String? = nil) throws {
    let setting = "--pretrained_model_name_or_path"
    let path = Folder.trimmed(path)
    guard FileSystem.isFolder(path) else {
      if FileSystem.isFile(path) {
        throw PipelineError.notAModel(
          path: path, setting: setting, expected: "a folder", found: "a single file")
      }
      throw PipelineError.folderNotFound(path: path, setting: setting)
    }
    let indexPath = FileSystem.join(path, "model_index.json")
    guard FileSystem.isFile(indexPath) else {
      throw PipelineError.notAModel(
        path: path, setting: setting, expected: "model_index.json in it", found: "none")
    }
    let index = try JSONObject(contentsOf: indexPath)
    guard let name = index.className, name.hasPrefix("StableDiffusionXL") else {
      throw PipelineError.notAModel(
        path: path, setting: setting, expected: "a StableDiffusionXLPipeline",
        found: index.className ?? "no _class_name")
    }
    self.path = path
    self.variant = variant
    self.vaePath = try vaePath.map(Self.vaeFolder)
    forceZerosForEmptyPrompt = try index.optionalBool("force_zeros_for_empty_prompt") ?? true
  }

  /// The component's folder.
  ///
  /// - Throws: `PipelineError.missingComponent`.
  public func folder(of component: Component) throws(PipelineError) -> String {
    if component == .vae, let vaePath { return vaePath }
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
    let name = component == .scheduler ? "scheduler_config.json" : "config.json"
    return try JSONObject(contentsOf: FileSystem.join(try folder(of: component), name))
  }

  /// The component's weights, opened and not read.
  ///
  /// A VAE from elsewhere need not have the model's variant.
  ///
  /// - Throws: `PipelineError.missingComponent`, `CheckpointError`.
  public func checkpoint(of component: Component) throws -> Checkpoint {
    let folder = try folder(of: component)
    if component == .vae, vaePath != nil, variant != nil {
      do { return try Checkpoint(folder: folder, variant: variant) } catch CheckpointError.noWeights
      {
        return try Checkpoint(folder: folder)
      }
    }
    return try Checkpoint(folder: folder, variant: variant)
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
    let path =
      try file ?? FileSystem.join(try folder(of: .scheduler), "scheduler_config.json")
    let object = try JSONObject(contentsOf: path)
    let mapped = try MappedFile(path: path)
    let text = withExtendedLifetime(mapped) { String(decoding: mapped.bytes, as: UTF8.self) }
    return (object.className, text)
  }

  private static func vaeFolder(_ path: String) throws(PipelineError) -> String {
    let setting = "--pretrained_vae_model_name_or_path"
    let path = Folder.trimmed(path)
    guard FileSystem.isFolder(path) else {
      throw .folderNotFound(path: path, setting: setting)
    }
    let inner = FileSystem.join(path, "vae")
    if FileSystem.isFile(FileSystem.join(path, "config.json")) { return path }
    guard FileSystem.isFile(FileSystem.join(inner, "config.json")) else {
      throw .notAModel(
        path: path, setting: setting, expected: "config.json or vae/config.json in it",
        found: "neither")
    }
    return inner
  }
}
