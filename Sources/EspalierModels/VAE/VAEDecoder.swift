import EspalierGraph

/// The decoder of the VAE: the encoder's levels in reverse, each but the last doubling the sides.
///
/// Checkpoint keys: `conv_in`, `mid_block`, `up_blocks.I.resnets.J`, `up_blocks.I.upsamplers.0`,
/// `conv_norm_out`, `conv_out`.
/// Source: Diffusers `models/autoencoders/vae.py`, `Decoder`.
struct VAEDecoder {
  struct Level {
    let resnets: [ResnetBlock2D]
    let upsampler: Upsample2D?
  }

  let convIn, convOut: Conv2d
  let levels: [Level]
  let midBlock: VAEMidBlock
  let convNormOut: GroupNorm

  init(_ scope: Scope, _ configuration: AutoencoderKLConfiguration) {
    let channels = Array(configuration.blockOutChannels.reversed())
    let (first, last) = (channels[0], channels[channels.count - 1])
    convIn = Conv2d(
      scope["conv_in"], inChannels: configuration.latentChannels, outChannels: first, kernel: 3,
      padding: Padding2D(1))
    midBlock = VAEMidBlock(scope["mid_block"], configuration, channels: first)
    levels = channels.indices.map { i in
      let block = scope["up_blocks"][i]
      let resnets = (0...configuration.layersPerBlock).map { j in
        ResnetBlock2D(
          block["resnets"][j], configuration,
          inChannels: j == 0 ? channels[max(i - 1, 0)] : channels[i], outChannels: channels[i])
      }
      let isLast = i == channels.count - 1
      return Level(
        resnets: resnets,
        upsampler: isLast ? nil : Upsample2D(block["upsamplers"][0], channels: channels[i]))
    }
    convNormOut = GroupNorm(
      scope["conv_norm_out"], groups: configuration.normNumGroups, channels: last, epsilon: 1e-6)
    convOut = Conv2d(
      scope["conv_out"], inChannels: last, outChannels: configuration.outChannels, kernel: 3,
      padding: Padding2D(1))
  }

  /// - Parameter latents: `[B, h, w, latentChannels]`.
  /// - Returns: `[B, H, W, outChannels]`.
  func callAsFunction(_ latents: Value) -> Value {
    convOut(convNormOut(head(latents, levelCount: levels.count)).silu())
  }

  /// The middle and the first levels, without the last one's upsampling.
  func head(_ latents: Value, levelCount: Int) -> Value {
    var h = midBlock(convIn(latents))
    for (i, level) in levels.prefix(levelCount).enumerated() {
      for resnet in level.resnets { h = resnet(h) }
      if i < levelCount - 1, let upsampler = level.upsampler { h = upsampler(h) }
    }
    return h
  }
}
