public import EspalierCheckpoints
public import EspalierTensors

/// The keys of a `UNet2DConditionModel`'s `config.json`.
///
/// Source: Diffusers `models/unets/unet_2d_condition.py`, whose defaults apply to absent keys. Keys
/// that would change the network in ways that no SDXL checkpoint uses are refused.
/// `upcast_attention` and `dropout` change nothing: attention accumulates in f32, and the network
/// is frozen.
public struct UNet2DConditionConfiguration: DenoiserConfiguration, Hashable {
  /// What stands between the way down and the way up.
  public enum MidBlock: Hashable, Sendable {
    /// `UNetMidBlock2DCrossAttn`: residual block, transformer, residual block.
    case crossAttention
    /// `UNetMidBlock2D`: one residual block.
    case resnet
    /// `null`: nothing.
    case none
  }

  /// Channels of the latents, and of what an inpainting checkpoint sees beside them.
  public let inChannels: Int
  /// Channels of the prediction.
  public let outChannels: Int
  /// The side of the latents that the checkpoint was trained on, or `nil`.
  public let sampleSize: Int?
  /// Channels of each level, the full resolution first; each further level halves the sides.
  public let blockOutChannels: [Int]
  /// Residual blocks of each level on the way down; the way up has one more.
  public let layersPerBlock: [Int]
  /// Which levels attend on the way down (`CrossAttnDownBlock2D`).
  public let downAttends: [Bool]
  /// Which levels attend on the way up, the lowest resolution first (`CrossAttnUpBlock2D`).
  public let upAttends: [Bool]
  public let midBlock: MidBlock
  /// Transformer blocks per layer of each level on the way down.
  public let downDepths: [[Int]]
  /// Transformer blocks of the middle.
  public let midDepth: Int
  /// Transformer blocks per layer on the way up, the lowest resolution first.
  public let upDepths: [[Int]]
  /// Attention heads of each level; the key is `attention_head_dim` for historical reasons.
  public let numAttentionHeads: [Int]
  /// Features of the text at each level.
  public let crossAttentionDim: [Int]
  public let useLinearProjection: Bool
  public let normNumGroups: Int
  public let normEps: Double
  public let downsamplePadding: Int
  public let flipSinToCos: Bool
  public let freqShift: Double
  /// Features of the time embedding inside the network.
  public let timeEmbedDim: Int
  /// Features of the guidance embedding of guidance-distilled checkpoints, or `nil`.
  public let timeCondProjDim: Int?
  /// Features of each embedded size or crop coordinate, or `nil` without added embedding.
  public let additionTimeEmbedDim: Int?
  /// Features of pooled text and embedded sizes together, or `nil` without added embedding.
  public let projectionClassEmbeddingsInputDim: Int?
  public let convInKernel: Int
  public let convOutKernel: Int

  public init(_ json: JSONObject) throws(CheckpointError) {
    try Self.requireSupported(json)
    inChannels = try json.size("in_channels", default: 4)
    outChannels = try json.size("out_channels", default: 4)
    sampleSize = json.value("sample_size")?.int
    blockOutChannels = try json.sizes("block_out_channels", default: [320, 640, 1280, 1280])
    let levels = blockOutChannels.count
    if levels > 16 { throw json.refused("block_out_channels", expected: "at most 16 levels") }
    layersPerBlock = try json.sizes("layers_per_block", default: 2, count: levels, in: 1...32)
    downAttends = try Self.attends(
      json, "down_block_types", plain: "DownBlock2D", attending: "CrossAttnDownBlock2D",
      default: Array(repeating: true, count: levels - 1) + [false])
    upAttends = try Self.attends(
      json, "up_block_types", plain: "UpBlock2D", attending: "CrossAttnUpBlock2D",
      default: [false] + Array(repeating: true, count: levels - 1))
    midBlock = try Self.midBlock(json)
    let depths = try TransformerDepths(json, layersPerBlock: layersPerBlock)
    (downDepths, midDepth, upDepths) = (depths.down, depths.mid, depths.up)
    let headsKey = json.has("num_attention_heads") ? "num_attention_heads" : "attention_head_dim"
    numAttentionHeads = try json.sizes(headsKey, default: 8, count: levels)
    crossAttentionDim = try json.sizes("cross_attention_dim", default: 1280, count: levels)
    useLinearProjection = try json.optionalBool("use_linear_projection") ?? false
    normNumGroups = try json.size("norm_num_groups", default: 32)
    normEps = try json.optionalDouble("norm_eps") ?? 1e-5
    downsamplePadding = try json.size("downsample_padding", default: 1, in: 0...1)
    flipSinToCos = try json.optionalBool("flip_sin_to_cos") ?? true
    freqShift = try json.optionalDouble("freq_shift") ?? 0
    timeEmbedDim = try json.size("time_embedding_dim", default: 4 * blockOutChannels[0])
    timeCondProjDim = try json.optionalSize("time_cond_proj_dim")
    let addsText = json.has("addition_embed_type")
    additionTimeEmbedDim = addsText ? try json.size("addition_time_embed_dim", default: 256) : nil
    projectionClassEmbeddingsInputDim =
      addsText ? try json.size("projection_class_embeddings_input_dim", default: 2816) : nil
    convInKernel = try json.size("conv_in_kernel", default: 3, in: 1...15)
    convOutKernel = try json.size("conv_out_kernel", default: 3, in: 1...15)
    try requireDivisors(json, headsKey)
  }

  /// The shapes `[B, h, w, C]` of the adapter features that the network takes, for latents of these
  /// sides.
  ///
  /// The first levels' features, one per level, then one for the middle.
  public func adapterFeatureShapes(batch: Int, height: Int, width: Int) -> [Shape] {
    var (height, width) = (height, width)
    var shapes: [Shape] = []
    for level in blockOutChannels.indices {
      let isLast = level == blockOutChannels.count - 1
      let halved = isLast ? (height, width) : (halve(height), halve(width))
      // A level with attention is injected before its downsampler, one without after it.
      let sides = downAttends[level] ? (height, width) : halved
      shapes.append([batch, sides.0, sides.1, blockOutChannels[level]])
      (height, width) = halved
    }
    if midBlock != .none, let last = blockOutChannels.last {
      shapes.append([batch, height, width, last])
    }
    return shapes
  }

  private func halve(_ side: Int) -> Int { (side + downsamplePadding) / 2 }
}
