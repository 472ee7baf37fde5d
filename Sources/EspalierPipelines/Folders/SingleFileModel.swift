import EspalierCheckpoints
import EspalierModels
import EspalierPresets
import EspalierTensors

/// A Stable Diffusion XL model in one file under the names of its authors, as `sd_xl_base_1.0.safetensors`.
///
/// Such a file holds weights alone: configurations and tokenizers are those of the preset whose U-Net the file has.
/// Tensors that no part of the model has, such as moving averages, are passed over.
struct SingleFileModel: Sendable {
  typealias Component = DiffusionFolder.Component

  /// What stands for it in messages.
  var path: String { file.path }
  let preset: ModelPreset
  private let file: SafetensorsFile
  private let models: ModelRegistry

  /// What the names of the components begin with.
  private static let prefixes: [Component: String] = [
    .unet: "model.diffusion_model.", .vae: "first_stage_model.",
    .textEncoder: "conditioner.embedders.0.transformer.",
    .textEncoder2: "conditioner.embedders.1.model.",
  ]

  /// Opens the file and finds its preset.
  ///
  /// - Throws: `PipelineError.notAModel` if the file is something else; `CheckpointError` if it is damaged, or if
  ///   its U-Net is none of the presets'.
  init(path: String, presets: [ModelPreset], models: ModelRegistry) throws {
    let file = try SafetensorsFile(path: path)
    let identity = FileIdentity(file.entries)
    guard identity == .model(.sdxl) else {
      throw PipelineError.notAModel(
        path: path, setting: "--pretrained_model_name_or_path",
        expected: "a model folder, or a single file of \(BaseModel.sdxl.rawValue)",
        found: identity.description, hint: Self.hint(identity))
    }
    let reports = try presets.map { preset in
      let candidate = SingleFileModel(file, preset, models)
      return (candidate, try candidate.unetReport())
    }
    guard let (found, report) = reports.first(where: { $0.1.fits }) ?? reports.first else {
      preconditionFailure("no presets")
    }
    try report.check()
    self = found
  }

  private init(_ file: SafetensorsFile, _ preset: ModelPreset, _ models: ModelRegistry) {
    self.file = file
    self.preset = preset
    self.models = models
  }

  private func unetReport() throws -> LoadReport {
    func report<M: Model>(_ model: M.Type) throws -> LoadReport {
      let configuration = try M.Configuration(configuration(of: .unet))
      return ComponentWeights(
        name: Component.unet.rawValue, checkpoint: try checkpoint(of: .unet),
        map: configuration.keyMap
      ).report(of: model, configuration)
    }
    return try report(models.model(for: configuration(of: .unet)))
  }

  /// The preset's configuration.
  func configuration(of component: Component) throws(CheckpointError) -> JSONObject {
    try preset.json(Self.configurationPath(component))
  }

  /// Where a model folder has a component's configuration.
  static func configurationPath(_ component: Component) -> String {
    component == .scheduler
      ? "scheduler/scheduler_config.json" : component.rawValue + "/config.json"
  }

  /// The component's weights under Diffusers' names.
  ///
  /// - Throws: `PipelineError.missingComponent` if the file has none of them.
  func checkpoint(of component: Component) throws -> Checkpoint {
    guard let prefix = Self.prefixes[component],
      file.names.contains(where: { $0.hasPrefix(prefix) })
    else {
      throw PipelineError.missingComponent(
        component.rawValue, model: path,
        expected: "tensors \(Self.prefixes[component] ?? component.rawValue)…",
        hint: component == .vae
          ? "name a VAE with --pretrained_vae_model_name_or_path"
          : "is this the whole model? Files for some programs hold the U-Net alone")
    }
    func names<M: Model>(_: M.Type, _ json: JSONObject) throws -> OriginalNames {
      try M.Configuration(json).originalNames
    }
    let json = try configuration(of: component)
    let original = try names(models.model(for: json), json)
    return Checkpoint(file, views: original.views(of: file.entries, prefix: prefix))
  }

  private static func hint(_ identity: FileIdentity) -> String {
    switch identity {
    case .model(.sdxlVelocity):
      "a single file cannot tell how its noise is scheduled; convert it with Diffusers' from_single_file and "
        + "save_pretrained, and give the folder"
    case .model, .unet(.stableDiffusion1, _), .unet(.stableDiffusion2, _), .unet(.sdxlRefiner, _):
      "Espalier works with the base model of Stable Diffusion XL and its descendants"
    case .unet: "a single file must hold the VAE and the text encoders too"
    case .vae: "a VAE is given with --pretrained_vae_model_name_or_path"
    case .adapter: "an adapter is given with --adapter_model_name_or_path"
    default: "'espalier inspect' tells what a file holds"
    }
  }
}
