public import EspalierCheckpoints

/// The keys of an `AutoencoderKL`'s `config.json`.
///
/// Source: Diffusers `models/autoencoders/autoencoder_kl.py`, whose defaults apply to absent keys.
public struct AutoencoderKLConfiguration: AutoencoderConfiguration, Hashable {
  /// Channels of the pictures that go in.
  public let inChannels: Int
  /// Channels of the pictures that come out.
  public let outChannels: Int
  /// Channels of each level, the full resolution first; each further level halves the sides.
  public let blockOutChannels: [Int]
  /// Residual blocks of each level of the encoder; the decoder has one more.
  public let layersPerBlock: Int
  /// Channels of the latents.
  public let latentChannels: Int
  /// Groups of the group norms.
  public let normNumGroups: Int
  /// What latents are multiplied by before they are noised.
  public let scalingFactor: Double
  /// Mean of each latent channel, subtracted before scaling; few checkpoints have it.
  public let latentsMean: [Double]?
  /// Standard deviation of each latent channel; few checkpoints have it.
  public let latentsStd: [Double]?
  /// Whether half precision overflows in this model, so that it must run in f32.
  public let forceUpcast: Bool
  /// Whether a 1×1 convolution follows the encoder.
  public let useQuantConv: Bool
  /// Whether a 1×1 convolution precedes the decoder.
  public let usePostQuantConv: Bool
  /// Whether the middle blocks attend.
  public let midBlockAddAttention: Bool

  public init(_ json: JSONObject) throws(CheckpointError) {
    inChannels = try json.size("in_channels", default: 3)
    outChannels = try json.size("out_channels", default: 3)
    blockOutChannels = try json.sizes("block_out_channels", default: [64])
    layersPerBlock = try json.size("layers_per_block", default: 1, in: 1...1000)
    latentChannels = try json.size("latent_channels", default: 4)
    normNumGroups = try json.size("norm_num_groups", default: 32)
    scalingFactor = try json.optionalDouble("scaling_factor") ?? 0.18215
    latentsMean = try json.optionalDoubles("latents_mean")
    latentsStd = try json.optionalDoubles("latents_std")
    forceUpcast = try json.optionalBool("force_upcast") ?? true
    useQuantConv = try json.optionalBool("use_quant_conv") ?? true
    usePostQuantConv = try json.optionalBool("use_post_quant_conv") ?? true
    midBlockAddAttention = try json.optionalBool("mid_block_add_attention") ?? true
    try json.require("act_fn", .string("silu"), .string("swish"))
    try json.require("shift_factor", .number(0))
    try requireBlocks(json, "down_block_types", "DownEncoderBlock2D")
    try requireBlocks(json, "up_block_types", "UpDecoderBlock2D")
    try requireChannels(json)
  }

  /// Pixels per latent along a side.
  public var downscaleFactor: Int { 1 << (blockOutChannels.count - 1) }

  public var keyMap: KeyMap { .autoencoderKL }

  private func requireBlocks(
    _ json: JSONObject, _ key: String, _ supported: String
  ) throws(CheckpointError) {
    let found = try json.optionalStrings(key) ?? [supported]
    if found != [String](repeating: supported, count: blockOutChannels.count) {
      throw json.refused(
        key, expected: "\(supported) for each of \(blockOutChannels.count) block_out_channels")
    }
  }

  private func requireChannels(_ json: JSONObject) throws(CheckpointError) {
    for (key, list) in [("latents_mean", latentsMean), ("latents_std", latentsStd)] {
      if let list, list.count != latentChannels {
        throw json.refused(key, expected: "\(latentChannels) numbers, one per latent channel")
      }
    }
    if latentsStd?.contains(0) == true { throw json.refused("latents_std", expected: "no zero") }
    if scalingFactor == 0 || !scalingFactor.isFinite {
      throw json.refused("scaling_factor", expected: "a number other than 0")
    }
    if blockOutChannels.count > 16 {
      throw json.refused("block_out_channels", expected: "at most 16 levels")
    }
    if !blockOutChannels.allSatisfy({ $0 % normNumGroups == 0 }) {
      throw json.refused("norm_num_groups", expected: "a divisor of all block_out_channels")
    }
  }
}

extension KeyMap {
  /// `AutoencoderKL`: files from before 2023 name the parts of the attention in the middle
  /// otherwise.
  public static let autoencoderKL: KeyMap = {
    let old = [("to_q", "query"), ("to_k", "key"), ("to_v", "value"), ("to_out.0", "proj_attn")]
    let groups = ["encoder", "decoder"].flatMap { part in
      old.map { now, before in
        [now, before].map { "\(part).mid_block.attentions.0.\($0)." }
      }
    }
    return KeyMap(prefixAlternatives: groups)
  }()
}
