import EspalierGraph

/// The middle of the U-Net: `UNetMidBlock2DCrossAttn`, or `UNetMidBlock2D` with its first residual
/// block alone.
///
/// Checkpoint keys: `attentions.0`, `resnets.0`, `resnets.1`.
/// Source: Diffusers `models/unets/unet_2d_blocks.py`.
struct UNetMidBlock {
  private let first: UNetLayer
  private let second: ResnetBlock2D?

  init(_ scope: Scope, _ configuration: UNet2DConditionConfiguration) {
    let level = configuration.blockOutChannels.count - 1
    let channels = configuration.blockOutChannels[level]
    let attends = configuration.midBlock == .crossAttention
    first = UNetLayer(
      scope, index: 0, configuration, level: level, inChannels: channels,
      depth: attends ? configuration.midDepth : nil)
    second =
      attends
      ? ResnetBlock2D(
        scope["resnets"][1], inChannels: channels, outChannels: channels,
        timeEmbedDim: configuration.timeEmbedDim, groups: configuration.normNumGroups,
        epsilon: configuration.normEps) : nil
  }

  /// - Parameters:
  ///   - x: `[B, h, w, C]`.
  ///   - feature: The adapter's feature map, added to the result.
  /// - Returns: The shape of `x`.
  func callAsFunction(
    _ x: Value, _ context: UNetStepContext, feature: Value?, recorder: ActivationRecorder
  ) -> Value {
    var h = first(x, context, index: 0, recorder: recorder)
    if let second {
      let input = h
      h = x.graph.region { second(input, timeEmbedding: context.timeEmbedding) }
    }
    if let feature { h = h + feature }
    return recorder(h)
  }
}
