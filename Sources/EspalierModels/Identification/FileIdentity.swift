public import EspalierCheckpoints

/// What a file of weights is, told by the names and shapes of its tensors.
public enum FileIdentity: Sendable, Hashable, CustomStringConvertible {
  /// Whose names the tensors have.
  public enum Layout: String, Sendable {
    case diffusers = "Diffusers' layout"
    case original = "its authors' layout"
  }

  /// A whole model: U-Net, VAE and text encoders.
  case model(BaseModel)
  case unet(BaseModel, Layout)
  case vae(latentChannels: Int, Layout)
  case textEncoder(hiddenSize: Int, Layout)
  case adapter(T2IAdapterConfiguration, Layout)
  /// The optimizer's moments in a training state.
  case optimizer
  /// Something else that is known, in words.
  case other(String)
  case unknown

  /// - Parameter entries: The tensors of a file, or of all files of a component.
  public init(_ entries: [String: TensorEntry]) {
    let tensors = NamedTensors(entries)
    self =
      Self.marked(tensors) ?? Self.unet(tensors) ?? Self.vae(tensors) ?? Self.textEncoder(tensors)
      ?? Self.adapter(tensors) ?? .unknown
  }

  public var description: String {
    switch self {
    case .model(let base): "a whole model in one file: \(base.rawValue)"
    case .unet(let base, let layout): "a U-Net in \(layout.rawValue): \(base.rawValue)"
    case .vae(4, let layout): "a VAE in \(layout.rawValue)"
    case .vae(let channels, let layout):
      "a VAE in \(layout.rawValue) of \(channels) latent channels; SDXL's have 4"
    case .textEncoder(let size, let layout):
      "a CLIP text encoder in \(layout.rawValue), hidden size \(size)"
    case .adapter(let adapter, let layout):
      "a T2I-Adapter in \(layout.rawValue): \(adapter.adapterType.rawValue), "
        + "\(adapter.inChannels) channel(s), for "
        + (adapter.downscaleFactor == 16 ? "Stable Diffusion XL" : "Stable Diffusion 1")
    case .optimizer: "the optimizer's moments of a training state"
    case .other(let text): text
    case .unknown: "not known by the names of its tensors"
    }
  }

  /// Files that single names give away.
  private static func marked(_ tensors: NamedTensors) -> FileIdentity? {
    if tensors.has(anyOf: "joint_blocks", "model.diffusion_model.joint_blocks") {
      return tensors.has(anyOf: "first_stage_model", "model.diffusion_model")
        ? .model(.stableDiffusion3) : .other("a transformer of Stable Diffusion 3")
    }
    if tensors.has(anyOf: "double_blocks", "model.diffusion_model.double_blocks") {
      return .model(.flux)
    }
    if tensors.contains("exp_avg/") { return .optimizer }
    if tensors.contains("lora_") || tensors.contains(".lora.") { return .other("a LoRA") }
    if tensors.has(anyOf: "control_model", "controlnet_cond_embedding", "input_hint_block") {
      return .other("a ControlNet; Espalier works with T2I-Adapters")
    }
    if tensors.has(anyOf: "ip_adapter", "image_proj") { return .other("an IP-Adapter") }
    if tensors.has(anyOf: "emb_params", "clip_l", "clip_g") { return .other("a textual inversion") }
    return nil
  }

  private static func unet(_ tensors: NamedTensors) -> FileIdentity? {
    for prefix in ["model.diffusion_model.", ""] {
      guard let inChannels = tensors.size(prefix + "input_blocks.0.0.weight", 1) else { continue }
      let base = BaseModel(
        textFeatures: tensors.textFeatures(prefix), inChannels: inChannels,
        embedsSizes: tensors.has(anyOf: prefix + "label_emb"))
      let isWhole = tensors.has(anyOf: "conditioner", "cond_stage_model", "first_stage_model")
      return isWhole ? .model(whole(base, tensors)) : .unet(base, .original)
    }
    guard let inChannels = tensors.size("conv_in.weight", 1), tensors.has(anyOf: "down_blocks.0")
    else { return nil }
    let base = BaseModel(
      textFeatures: tensors.textFeatures(""), inChannels: inChannels,
      embedsSizes: tensors.has(anyOf: "add_embedding"))
    return .unet(base, .diffusers)
  }

  /// What the parts beside the U-Net say.
  private static func whole(_ base: BaseModel, _ tensors: NamedTensors) -> BaseModel {
    if tensors.has(anyOf: "edm_mean", "edm_std") { return .playground }
    if base == .sdxl && tensors.has(anyOf: "v_pred", "edm_vpred") { return .sdxlVelocity }
    return base
  }

  private static func vae(_ tensors: NamedTensors) -> FileIdentity? {
    for prefix in OriginalNames.vaePrefixes {
      guard tensors.has(anyOf: prefix + "encoder.conv_in"),
        let channels = tensors.size(prefix + "decoder.conv_in.weight", 1)
      else { continue }
      let isOriginal = tensors.has(anyOf: prefix + "encoder.down.0")
      return .vae(latentChannels: channels, isOriginal ? .original : .diffusers)
    }
    return nil
  }

  private static func textEncoder(_ tensors: NamedTensors) -> FileIdentity? {
    for prefix in ["text_model.", ""] {
      let name = prefix + "embeddings.token_embedding.weight"
      if let size = tensors.size(name, 1) {
        return .textEncoder(hiddenSize: size, .diffusers)
      }
    }
    guard tensors.has(anyOf: "transformer.resblocks.0"),
      let size = tensors.size("token_embedding.weight", 1)
    else { return nil }
    return .textEncoder(hiddenSize: size, .original)
  }

  private static func adapter(_ tensors: NamedTensors) -> FileIdentity? {
    guard tensors.has(anyOf: "adapter.body.0", "body.0") else { return nil }
    return T2IAdapterConfiguration(inferredFrom: tensors.entries).map {
      .adapter(
        $0,
        T2IAdapterConfiguration.hasOriginalNames(tensors.entries) ? .original : .diffusers)
    }
  }
}

extension OriginalNames {
  /// What the names of a VAE begin with: inside a whole model, or alone.
  public static let vaePrefixes = ["first_stage_model.", "vae.", ""]
}
