import EspalierGraph
import EspalierTensors

/// A level on the way up: `UpBlock2D`, or `CrossAttnUpBlock2D` if it attends.
///
/// Checkpoint keys: `resnets.J`, `attentions.J`, `upsamplers.0`.
/// Source: Diffusers `models/unets/unet_2d_blocks.py`.
struct UNetUpBlock {
  private let layers: [UNetLayer]
  private let upsampler: Upsample2D?

  /// - Parameter index: The block on the way up; 0 is the lowest resolution.
  init(_ scope: Scope, _ configuration: UNet2DConditionConfiguration, index: Int) {
    let channels = configuration.blockOutChannels
    let level = channels.count - 1 - index
    let count = configuration.layersPerBlock[level] + 1
    let previous = index == 0 ? channels[level] : channels[level + 1]
    layers = (0..<count).map { j in
      // The last layer takes the skip of the level above it.
      let skip = j == count - 1 ? channels[max(level - 1, 0)] : channels[level]
      return UNetLayer(
        scope, index: j, configuration, level: level,
        inChannels: (j == 0 ? previous : channels[level]) + skip,
        depth: configuration.upAttends[index] ? configuration.upDepths[index][j] : nil)
    }
    upsampler =
      level == 0 ? nil : Upsample2D(scope["upsamplers"][0], channels: channels[level])
  }

  /// - Parameters:
  ///   - x: `[B, h, w, Cin]`.
  ///   - skips: The last of them are taken, one per layer; the next one tells the size to upsample
  ///     to, so that odd sizes come back as they were.
  /// - Returns: `[B, 2·h, 2·w, C]`, or the same sides at the first level.
  func callAsFunction(
    _ x: Value, _ context: UNetStepContext, skips: inout [Value], recorder: ActivationRecorder
  ) -> Value {
    var h = x
    for (j, layer) in layers.enumerated() {
      let skip = skips.removeLast()
      h = layer(
        Value.concatenated([h, skip]), context, index: j, recorder: recorder)
    }
    if let upsampler {
      h = upsampler(h, size: skips.last.map { ($0.shape[1], $0.shape[2]) })
    }
    return recorder(h)
  }
}
