import EspalierGraph

/// The middle of the VAE's encoder and decoder: residual block, attention of one head, residual
/// block.
///
/// Checkpoint keys: `attentions.0.{group_norm,to_q,to_k,to_v,to_out.0}`, `resnets.0`, `resnets.1`.
/// Source: Diffusers `models/unets/unet_2d_blocks.py`, `UNetMidBlock2D`.
struct VAEMidBlock {
  private let resnets: [ResnetBlock2D]
  private let groupNorm: GroupNorm?
  private let attention: Attention?

  init(_ scope: Scope, _ configuration: AutoencoderKLConfiguration, channels: Int) {
    if configuration.midBlockAddAttention {
      let attentionScope = scope["attentions"][0]
      groupNorm = GroupNorm(
        attentionScope["group_norm"], groups: configuration.normNumGroups, channels: channels,
        epsilon: 1e-6)
      attention = Attention(
        attentionScope, features: channels, contextFeatures: channels, heads: 1, hasBias: true)
    } else {
      (groupNorm, attention) = (nil, nil)
    }
    resnets = (0..<2).map {
      ResnetBlock2D(
        scope["resnets"][$0], configuration, inChannels: channels, outChannels: channels)
    }
  }

  /// - Parameter x: `[B, h, w, channels]`; the shape is kept.
  func callAsFunction(_ x: Value) -> Value {
    var h = resnets[0](x)
    if let groupNorm, let attention { h = h + attention(groupNorm(h)) }
    return resnets[1](h)
  }
}
