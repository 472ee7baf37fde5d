extension UNet2DConditionConfiguration {
  /// The names of Stability AI's U-Net, whose blocks are numbered through.
  ///
  /// Source: Stability AI generative-models `sgm/modules/diffusionmodules/openaimodel.py`, `UNetModel`; Diffusers
  /// `loaders/single_file_utils.py`, `convert_ldm_unet_checkpoint`.
  public var originalNames: OriginalNames {
    var names = OriginalNames()
    names.add(
      "time_embed", "time_embedding", names: ["0": "linear_1", "2": "linear_2"])
    names.add(
      "label_emb.0", "add_embedding", names: ["0": "linear_1", "2": "linear_2"])
    names.add("input_blocks.0.0", "conv_in")
    names.add("out.0", "conv_norm_out")
    names.add("out.2", "conv_out")
    addDownBlocks(to: &names)
    addMidBlock(to: &names)
    addUpBlocks(to: &names)
    return names
  }

  private func addDownBlocks(to names: inout OriginalNames) {
    var number = 1
    for level in blockOutChannels.indices {
      let key = "down_blocks.\(level)"
      for layer in 0..<layersPerBlock[level] {
        Self.addResnet("input_blocks.\(number).0", "\(key).resnets.\(layer)", to: &names)
        if downAttends[level] {
          names.add("input_blocks.\(number).1", "\(key).attentions.\(layer)")
        }
        number += 1
      }
      if level < blockOutChannels.count - 1 {
        names.add("input_blocks.\(number).0.op", "\(key).downsamplers.0.conv")
        number += 1
      }
    }
  }

  private func addMidBlock(to names: inout OriginalNames) {
    guard midBlock == .crossAttention else { return }
    Self.addResnet("middle_block.0", "mid_block.resnets.0", to: &names)
    names.add("middle_block.1", "mid_block.attentions.0")
    Self.addResnet("middle_block.2", "mid_block.resnets.1", to: &names)
  }

  private func addUpBlocks(to names: inout OriginalNames) {
    var number = 0
    for (index, layers) in layersPerBlock.reversed().enumerated() {
      let key = "up_blocks.\(index)"
      for layer in 0...layers {
        Self.addResnet("output_blocks.\(number).0", "\(key).resnets.\(layer)", to: &names)
        if upAttends[index] {
          names.add("output_blocks.\(number).1", "\(key).attentions.\(layer)")
        }
        // The last layer of a level enlarges too, after whatever else is in its block.
        if layer == layers && index < layersPerBlock.count - 1 {
          let place = upAttends[index] ? 2 : 1
          names.add("output_blocks.\(number).\(place).conv", "\(key).upsamplers.0.conv")
        }
        number += 1
      }
    }
  }

  private static func addResnet(_ original: String, _ key: String, to names: inout OriginalNames) {
    names.add(
      original, key,
      names: [
        "in_layers.0": "norm1", "in_layers.2": "conv1", "emb_layers.1": "time_emb_proj",
        "out_layers.0": "norm2", "out_layers.3": "conv2", "skip_connection": "conv_shortcut",
      ])
  }
}
