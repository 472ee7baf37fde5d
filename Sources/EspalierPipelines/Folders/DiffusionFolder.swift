import EspalierCheckpoints
public import EspalierModels
public import EspalierPresets
import EspalierTensors

/// A Stable Diffusion XL model on disk: a folder in Diffusers' layout, with `model_index.json` and a folder for each
/// component, or a single file under the names of the model's authors.
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
  /// `fp16` for `diffusion_pytorch_model.fp16.safetensors`; nil for the files without a variant. A single file has
  /// none.
  public let variant: String?
  /// Another VAE that takes the place of this one's: a folder, or a file.
  public let vaePath: String?
  /// Whether an absent negative prompt is all zeros instead of an encoded empty text.
  public let forceZerosForEmptyPrompt: Bool
  /// What `path` is, if it is not a folder.
  let singleFile: SingleFileModel?

  /// Reads `model_index.json`, or the header of a single file.
  ///
  /// - Parameters:
  ///   - vaePath: A VAE's folder or file, or a model folder with `vae/` in it.
  ///   - presets: Where a single file's configurations and tokenizers may come from; not empty.
  ///   - models: The networks that are known.
  /// - Throws: `PipelineError.folderNotFound`, `.notAModel`; `CheckpointError`.
  public init(
    path: String, variant: String? = nil, vaePath: String? = nil,
    presets: [ModelPreset] = ModelPreset.all, models: ModelRegistry = .standard
  ) throws {
    let path = Folder.trimmed(path)
    let index: JSONObject
    if FileSystem.isFile(path) {
      let file = try SingleFileModel(path: path, presets: presets, models: models)
      index = try file.preset.json(Self.indexName)
      singleFile = file
    } else {
      index = try Self.index(of: path)
      singleFile = nil
    }
    self.path = path
    self.variant = variant
    self.vaePath = try vaePath.map(Self.vae)
    forceZerosForEmptyPrompt = try index.optionalBool("force_zeros_for_empty_prompt") ?? true
  }

  private static let indexName = "model_index.json"

  private static func index(of path: String) throws -> JSONObject {
    let setting = "--pretrained_model_name_or_path"
    guard FileSystem.isFolder(path) else {
      throw PipelineError.folderNotFound(path: path, setting: setting)
    }
    let indexPath = FileSystem.join(path, indexName)
    guard FileSystem.isFile(indexPath) else {
      throw PipelineError.notAModel(
        path: path, setting: setting, expected: "model_index.json in it", found: "none")
    }
    let index = try JSONObject(contentsOf: indexPath)
    guard let name = index.className, name.hasPrefix("StableDiffusionXL") else {
      throw PipelineError.notAModel(
        path: path, setting: setting, expected: "a StableDiffusionXLPipeline",
        found: index.className.map(BaseModel.described(pipeline:)) ?? "no _class_name",
        hint: "Espalier works with the base model of Stable Diffusion XL and its descendants")
    }
    return index
  }

  private static func vae(_ path: String) throws(PipelineError) -> String {
    let setting = "--pretrained_vae_model_name_or_path"
    let path = Folder.trimmed(path)
    if FileSystem.isFile(path) { return path }
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
