import EspalierGraph

/// A level on the way down: `DownBlock2D`, or `CrossAttnDownBlock2D` if it attends.
///
/// Checkpoint keys: `resnets.J`, `attentions.J`, `downsamplers.0`.
/// Source: Diffusers `models/unets/unet_2d_blocks.py`.
struct UNetDownBlock {
  private let layers: [UNetLayer]
  private let downsampler: Downsample2D?
  private let attends: Bool

  init(_ scope: Scope, _ configuration: UNet2DConditionConfiguration, level: Int) {
    let channels = configuration.blockOutChannels
    let attends = configuration.downAttends[level]
    layers = (0..<configuration.layersPerBlock[level]).map { j in
      UNetLayer(
        scope, index: j, configuration, level: level,
        inChannels: j == 0 ? channels[max(level - 1, 0)] : channels[level],
        depth: attends ? configuration.downDepths[level][j] : nil)
    }
    let isLast = level == channels.count - 1
    downsampler =
      isLast
      ? nil
      : Downsample2D(
        scope["downsamplers"][0], channels: channels[level],
        padding: configuration.downsamplePadding)
    self.attends = attends
  }

  /// - Parameters:
  ///   - x: `[B, h, w, Cin]`.
  ///   - feature: The adapter's feature map. A level that attends adds it after its last layer,
  ///     before the downsampler; another adds it to its output. The skip connection carries it in
  ///     both cases.
  ///   - skips: Receives the result of each layer and of the downsampler.
  /// - Returns: `[B, h/2, w/2, C]`, or full sides at the last level.
  func callAsFunction(
    _ x: Value, _ context: UNetStepContext, feature: Value?, skips: inout [Value],
    recorder: ActivationRecorder
  ) -> Value {
    var h = x
    for (j, layer) in layers.enumerated() {
      h = layer(h, context, index: j, recorder: recorder)
      if attends && j == layers.count - 1, let feature { h = h + feature }
      skips.append(h)
    }
    if let downsampler {
      h = downsampler(h)
      skips.append(h)
    }
    if !attends, let feature {
      h = h + feature
      skips[skips.count - 1] = h
    }
    return recorder(h)
  }
}
