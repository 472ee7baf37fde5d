extension AutoencoderKLConfiguration {
  /// The names of Stability AI's VAE, which numbers the decoder's levels by resolution, the full one first.
  ///
  /// Source: Stability AI generative-models `sgm/modules/diffusionmodules/model.py`, `Encoder` and `Decoder`;
  /// Diffusers `loaders/single_file_utils.py`, `convert_ldm_vae_checkpoint`.
  public var originalNames: OriginalNames {
    var names = OriginalNames()
    for name in ["quant_conv", "post_quant_conv"] { names.add(name, name) }
    let levels = blockOutChannels.count
    for part in ["encoder", "decoder"] {
      names.add(
        part, part,
        names: ["conv_in": "conv_in", "norm_out": "conv_norm_out", "conv_out": "conv_out"])
      Self.addMidBlock("\(part).mid", "\(part).mid_block", to: &names)
    }
    for level in 0..<levels {
      let (down, up) = ("encoder.down_blocks.\(level)", "decoder.up_blocks.\(levels - 1 - level)")
      for layer in 0..<layersPerBlock {
        Self.addResnet(
          "encoder.down.\(level).block.\(layer)", "\(down).resnets.\(layer)", to: &names)
      }
      for layer in 0...layersPerBlock {
        Self.addResnet("decoder.up.\(level).block.\(layer)", "\(up).resnets.\(layer)", to: &names)
      }
      names.add("encoder.down.\(level).downsample.conv", "\(down).downsamplers.0.conv")
      names.add("decoder.up.\(level).upsample.conv", "\(up).upsamplers.0.conv")
    }
    return names
  }

  private static func addMidBlock(
    _ original: String, _ key: String, to names: inout OriginalNames
  ) {
    addResnet("\(original).block_1", "\(key).resnets.0", to: &names)
    addResnet("\(original).block_2", "\(key).resnets.1", to: &names)
    let (attention, attentionKey) = ("\(original).attn_1", "\(key).attentions.0")
    names.add("\(attention).norm", "\(attentionKey).group_norm")
    for (theirs, ours) in [("q", "to_q"), ("k", "to_k"), ("v", "to_v"), ("proj_out", "to_out.0")] {
      names.add("\(attention).\(theirs)", "\(attentionKey).\(ours)", .matrix)
    }
  }

  private static func addResnet(_ original: String, _ key: String, to names: inout OriginalNames) {
    for name in ["norm1", "conv1", "norm2", "conv2"] {
      names.add("\(original).\(name)", "\(key).\(name)")
    }
    names.add("\(original).nin_shortcut", "\(key).conv_shortcut")
  }
}
