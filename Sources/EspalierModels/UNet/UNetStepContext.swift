import EspalierGraph

/// What every block of the U-Net sees beside its feature map.
struct UNetStepContext {
  /// `[B, timeEmbedDim]` after its SiLU.
  let timeEmbedding: Value
  /// Text `[B, L, crossAttentionDim]`.
  let encoderHiddenStates: Value
}

/// A residual block and, at levels that attend, the transformer behind it.
struct UNetLayer {
  private let resnet: ResnetBlock2D
  private let attention: Transformer2DModel?

  /// - Parameters:
  ///   - scope: The block that holds `resnets` and `attentions`.
  ///   - index: The layer in the block.
  ///   - level: The level whose channels, heads and text features apply.
  ///   - depth: Transformer blocks, or `nil` for a level that does not attend.
  init(
    _ scope: Scope, index: Int, _ configuration: UNet2DConditionConfiguration, level: Int,
    inChannels: Int, depth: Int?
  ) {
    let channels = configuration.blockOutChannels[level]
    attention = depth.map {
      Transformer2DModel(
        scope["attentions"][index], channels: channels, depth: $0,
        heads: configuration.numAttentionHeads[level],
        crossAttentionDim: configuration.crossAttentionDim[level],
        groups: configuration.normNumGroups,
        useLinearProjection: configuration.useLinearProjection)
    }
    resnet = ResnetBlock2D(
      scope["resnets"][index], inChannels: inChannels, outChannels: channels,
      timeEmbedDim: configuration.timeEmbedDim, groups: configuration.normNumGroups,
      epsilon: configuration.normEps)
  }

  /// - Parameter x: `[B, h, w, inChannels]`.
  /// - Returns: `[B, h, w, C]`.
  func callAsFunction(
    _ x: Value, _ context: UNetStepContext, index: Int, recorder: ActivationRecorder
  ) -> Value {
    let h = x.graph.region { resnet(x, timeEmbedding: context.timeEmbedding) }
    recorder["resnet", index](h)
    return attention?(
      h, encoderHiddenStates: context.encoderHiddenStates, recorder: recorder["attn", index]) ?? h
  }
}
