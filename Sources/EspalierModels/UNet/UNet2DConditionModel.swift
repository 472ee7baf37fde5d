public import EspalierGraph

/// SDXL's U-Net: predicts noise from noisy latents, text, time and sizes, and takes the features of
/// adapters.
///
/// Checkpoint keys: `conv_in`, `time_embedding`, `add_embedding`, `down_blocks.I`, `mid_block`,
/// `up_blocks.I`, `conv_norm_out`, `conv_out`.
/// Source: Diffusers `models/unets/unet_2d_condition.py`, `UNet2DConditionModel`; Podell et al.
/// 2023.
public struct UNet2DConditionModel: Denoiser {
  public static let className = "UNet2DConditionModel"
  public let configuration: UNet2DConditionConfiguration
  private let convIn, convOut: Conv2d
  private let timeEmbedding: TimestepEmbedding
  private let addEmbedding: TimestepEmbedding?
  private let downBlocks: [UNetDownBlock]
  private let midBlock: UNetMidBlock?
  private let upBlocks: [UNetUpBlock]
  private let convNormOut: GroupNorm

  public init(_ scope: Scope, _ configuration: UNet2DConditionConfiguration) {
    self.configuration = configuration
    let first = configuration.blockOutChannels[0]
    convIn = Conv2d(
      scope["conv_in"], inChannels: configuration.inChannels, outChannels: first,
      kernel: configuration.convInKernel,
      padding: Padding2D((configuration.convInKernel - 1) / 2))
    timeEmbedding = TimestepEmbedding(
      scope["time_embedding"], inFeatures: first, timeEmbedDim: configuration.timeEmbedDim,
      condProjDim: configuration.timeCondProjDim)
    addEmbedding = configuration.projectionClassEmbeddingsInputDim.map {
      TimestepEmbedding(
        scope["add_embedding"], inFeatures: $0, timeEmbedDim: configuration.timeEmbedDim)
    }
    let levels = configuration.blockOutChannels.indices
    downBlocks = levels.map {
      UNetDownBlock(scope["down_blocks"][$0], configuration, level: $0)
    }
    midBlock =
      configuration.midBlock == .none ? nil : UNetMidBlock(scope["mid_block"], configuration)
    upBlocks = levels.map { UNetUpBlock(scope["up_blocks"][$0], configuration, index: $0) }
    convNormOut = GroupNorm(
      scope["conv_norm_out"], groups: configuration.normNumGroups, channels: first,
      epsilon: configuration.normEps)
    convOut = Conv2d(
      scope["conv_out"], inChannels: first, outChannels: configuration.outChannels,
      kernel: configuration.convOutKernel,
      padding: Padding2D((configuration.convOutKernel - 1) / 2))
  }

  /// - Parameters:
  ///   - inputs: `timeEmbedding` and `addEmbedding` as
  ///     `UNet2DConditionConfiguration.timeProjection` and `additionProjection` give them;
  ///     `adapterFeatures` as `adapterFeatureShapes` tells, of which later ones may be missing.
  ///   - recorder: Receives `conv_in`, `time_embedding`, `add_embedding`, `down.I`,
  ///     `down.I.resnet.J`, `down.I.attn.J`, `down.I.attn.J.block.K.{attn1,attn2,ff}`, `mid`,
  ///     `up.I` and so on.
  /// - Returns: The prediction `[B, h, w, outChannels]`.
  public func callAsFunction(
    _ inputs: DenoiserInputs, recorder: ActivationRecorder = .none
  ) -> Value {
    var features = inputs.adapterFeatures[...]
    let context = UNetStepContext(
      timeEmbedding: embedding(inputs, recorder).silu(),
      encoderHiddenStates: inputs.encoderHiddenStates)
    var h = recorder["conv_in"](convIn(inputs.sample))
    var skips = [h]
    for (level, block) in downBlocks.enumerated() {
      h = block(
        h, context, feature: features.popFirst(), skips: &skips,
        recorder: recorder["down", level])
    }
    if let midBlock {
      h = midBlock(h, context, feature: features.popFirst(), recorder: recorder["mid"])
    }
    for (index, block) in upBlocks.enumerated() {
      h = block(h, context, skips: &skips, recorder: recorder["up", index])
    }
    return convOut(convNormOut(h).silu())
  }

  /// Time, guidance and sizes together, `[B, timeEmbedDim]`.
  private func embedding(_ inputs: DenoiserInputs, _ recorder: ActivationRecorder) -> Value {
    let time = timeEmbedding(inputs.timeEmbedding, condition: inputs.guidanceEmbedding)
    recorder["time_embedding"](time)
    guard let addEmbedding, let added = inputs.addEmbedding else { return time }
    return time + recorder["add_embedding"](addEmbedding(added))
  }
}
