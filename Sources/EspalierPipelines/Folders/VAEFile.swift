public import EspalierCheckpoints
public import EspalierModels

/// A VAE in a file of its own, under Diffusers' names or its authors': `sdxl_vae.safetensors`.
public enum VAEFile {
  /// The weights under Diffusers' names.
  ///
  /// - Parameter configuration: Of the VAE whose place it takes.
  /// - Throws: `PipelineError.notAModel` if the file is something else; `CheckpointError` if it is damaged.
  public static func checkpoint(
    path: String, configuration: AutoencoderKLConfiguration
  ) throws -> Checkpoint {
    let file = try SafetensorsFile(path: path)
    let identity = FileIdentity(file.entries)
    switch identity {
    case .vae(_, .diffusers): return Checkpoint(file)
    case .vae(_, .original), .model(.sdxl):
      let prefix =
        OriginalNames.vaePrefixes.first { prefix in
          file.names.contains { $0.hasPrefix(prefix + "encoder.") }
        } ?? ""
      return Checkpoint(
        file, views: configuration.originalNames.views(of: file.entries, prefix: prefix))
    default:
      throw PipelineError.notAModel(
        path: path, setting: "--pretrained_vae_model_name_or_path",
        expected: "a VAE's folder, a model folder, or a VAE's .safetensors file",
        found: identity.description, hint: "'espalier inspect' tells what a file holds")
    }
  }
}
