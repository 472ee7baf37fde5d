import EspalierGraph

/// The encoder of the VAE: levels of residual blocks, each but the last halving the sides.
///
/// Checkpoint keys: `conv_in`, `down_blocks.I.resnets.J`, `down_blocks.I.downsamplers.0`,
/// `mid_block`, `conv_norm_out`, `conv_out`.
/// Source: Diffusers `models/autoencoders/vae.py`, `Encoder`.
struct VAEEncoder {
  struct Level {
    let resnets: [ResnetBlock2D]
    let downsampler: Downsample2D?
  }

  let convIn, convOut: Conv2d
  let levels: [Level]
  let midBlock: VAEMidBlock
  let convNormOut: GroupNorm

  init(_ scope: Scope, _ configuration: AutoencoderKLConfiguration) {
    let channels = configuration.blockOutChannels
    let (first, last) = (channels[0], channels[channels.count - 1])
    convIn = Conv2d(
      scope["conv_in"], inChannels: configuration.inChannels, outChannels: first, kernel: 3,
      padding: Padding2D(1))
    levels = channels.indices.map { i in
      let block = scope["down_blocks"][i]
      let resnets = (0..<configuration.layersPerBlock).map { j in
        ResnetBlock2D(
          block["resnets"][j], configuration,
          inChannels: j == 0 ? channels[max(i - 1, 0)] : channels[i], outChannels: channels[i])
      }
      let isLast = i == channels.count - 1
      return Level(
        resnets: resnets,
        downsampler: isLast
          ? nil : Downsample2D(block["downsamplers"][0], channels: channels[i], padding: 0))
    }
    midBlock = VAEMidBlock(scope["mid_block"], configuration, channels: last)
    convNormOut = GroupNorm(
      scope["conv_norm_out"], groups: configuration.normNumGroups, channels: last, epsilon: 1e-6)
    convOut = Conv2d(
      scope["conv_out"], inChannels: last, outChannels: 2 * configuration.latentChannels,
      kernel: 3, padding: Padding2D(1))
  }

  /// - Parameter pixels: `[B, H, W, inChannels]`.
  /// - Returns: `[B, h, w, 2·latentChannels]`.
  func callAsFunction(_ pixels: Value) -> Value {
    tail(convIn(pixels), fromLevel: 0)
  }

  /// The last levels, the middle and the end.
  func tail(_ x: Value, fromLevel first: Int) -> Value {
    var h = x
    for level in levels.dropFirst(first) {
      for resnet in level.resnets { h = resnet(h) }
      if let downsampler = level.downsampler { h = downsampler(h) }
    }
    return convOut(convNormOut(midBlock(h)).silu())
  }
}
