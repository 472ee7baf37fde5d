import EspalierCheckpoints
import EspalierModels
import EspalierTensors
import Foundation
import TestSupport
import Testing

@Suite("What a file is") struct FileIdentityTests {
  /// Names and shapes that published files have, among others.
  static let files: [(names: [String: [Int]], said: String)] = [
    (
      [
        "model.diffusion_model.input_blocks.0.0.weight": [320, 4, 3, 3],
        "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": [
          320, 768,
        ],
        "cond_stage_model.transformer.text_model.final_layer_norm.weight": [768],
        "first_stage_model.encoder.conv_in.weight": [128, 3, 3, 3],
      ], "a whole model in one file: Stable Diffusion 1"
    ),
    (
      [
        "model.diffusion_model.input_blocks.0.0.weight": [320, 4, 3, 3],
        "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": [
          320, 1024,
        ],
        "cond_stage_model.model.ln_final.weight": [1024],
      ], "a whole model in one file: Stable Diffusion 2"
    ),
    (
      [
        "model.diffusion_model.input_blocks.0.0.weight": [384, 4, 3, 3],
        "model.diffusion_model.input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight": [
          768, 1280,
        ],
        "model.diffusion_model.label_emb.0.0.weight": [1536, 2560],
        "conditioner.embedders.0.model.ln_final.weight": [1280],
      ], "a whole model in one file: Stable Diffusion XL's refiner"
    ),
    (
      [
        "model.diffusion_model.input_blocks.0.0.weight": [320, 9, 3, 3],
        "model.diffusion_model.input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight": [
          640, 2048,
        ],
        "model.diffusion_model.label_emb.0.0.weight": [1280, 2816],
        "conditioner.embedders.1.model.ln_final.weight": [1280],
      ], "an inpainting or editing model of Stable Diffusion XL"
    ),
    (
      [
        "model.diffusion_model.input_blocks.0.0.weight": [320, 4, 3, 3],
        "model.diffusion_model.input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight": [
          640, 2048,
        ],
        "model.diffusion_model.label_emb.0.0.weight": [1280, 2816],
        "conditioner.embedders.1.model.ln_final.weight": [1280], "v_pred": [0], "ztsnr": [0],
      ], "a Stable Diffusion XL that predicts velocity"
    ),
    (
      [
        "model.diffusion_model.joint_blocks.0.context_block.adaLN_modulation.1.bias": [9216],
        "first_stage_model.encoder.conv_in.weight": [128, 3, 3, 3],
      ], "a whole model in one file: Stable Diffusion 3"
    ),
    (
      ["double_blocks.0.img_attn.norm.key_norm.scale": [128]], "a whole model in one file: FLUX"
    ),
    (
      [
        "conv_in.weight": [320, 4, 3, 3], "down_blocks.0.resnets.0.norm1.weight": [320],
        "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight": [320, 768],
      ], "a U-Net in Diffusers' layout: Stable Diffusion 1"
    ),
    (
      [
        "encoder.conv_in.weight": [128, 3, 3, 3], "decoder.conv_in.weight": [512, 16, 3, 3],
        "encoder.down.0.block.0.norm1.weight": [128],
      ], "16 latent channels; SDXL's have 4"
    ),
    (
      [
        "text_model.embeddings.token_embedding.weight": [49408, 768],
        "text_model.encoder.layers.0.mlp.fc1.weight": [3072, 768],
      ], "a CLIP text encoder in Diffusers' layout, hidden size 768"
    ),
    (["lora_unet_mid_block_attentions_0_proj_in.lora_down.weight": [4, 1280]], "a LoRA"),
    (
      [
        "controlnet_cond_embedding.conv_in.weight": [16, 3, 3, 3],
        "conv_in.weight": [320, 4, 3, 3], "down_blocks.0.resnets.0.norm1.weight": [320],
      ], "a ControlNet; Espalier works with T2I-Adapters"
    ),
    (["exp_avg/adapter.conv_in.weight": [320, 768, 3, 3]], "the optimizer's moments"),
    (["a": [1]], "not known by the names of its tensors"),
  ]

  @Test(arguments: files)
  func `is told by names and shapes`(names: [String: [Int]], said: String) {
    let entries = names.mapValues {
      TensorEntry(
        dtypeName: "F16", shape: Shape($0), byteRange: 0..<2 * Shape($0).count)
    }
    let text = FileIdentity(entries).description
    #expect(text.contains(said), Comment(rawValue: text))
  }

  @Test func `of SDXL's four networks and of the whole is told from all their names`() throws {
    let goldens = OriginalNamesTests.Golden.all
    var whole: [String: TensorEntry] = [:]
    for component in ["unet", "vae", "text_encoder", "text_encoder_2"] {
      var diffusers: [String: TensorEntry] = [:]
      for golden in goldens where golden.component == component {
        diffusers[golden.key] = Self.entry(try golden.shape)
        whole[golden.original] = Self.entry(try golden.shapeInFile)
      }
      let said = [
        "unet": "a U-Net in Diffusers' layout: Stable Diffusion XL",
        "vae": "a VAE in Diffusers' layout",
        "text_encoder": "a CLIP text encoder in Diffusers' layout, hidden size 768",
        "text_encoder_2": "a CLIP text encoder in Diffusers' layout, hidden size 1280",
      ]
      #expect(FileIdentity(diffusers).description == said[component])
    }
    #expect(FileIdentity(whole) == .model(.sdxl))
    let unet = whole.filter { $0.key.hasPrefix("model.diffusion_model.") }
    #expect(FileIdentity(unet) == .unet(.sdxl, .original))
    let vae = Dictionary(
      uniqueKeysWithValues: whole.filter { $0.key.hasPrefix("first_stage_model.") }
        .map { ($0.key.replacing("first_stage_model.", with: ""), $0.value) })
    #expect(FileIdentity(vae) == .vae(latentChannels: 4, .original))
  }

  private static func entry(_ shape: Shape) -> TensorEntry {
    TensorEntry(dtypeName: "F16", shape: shape, byteRange: 0..<2 * shape.count)
  }

  @Test(arguments: [
    "adapter_xl", "adapter_xl_second", "adapter_xl_gray", "adapter_full", "adapter_light",
  ])
  func `of an adapter is its configuration, in both layouts`(folder: String) throws {
    let path = Fixtures.path(folder)
    let configuration = try T2IAdapterConfiguration(
      JSONObject(contentsOf: path + "/config.json"))
    let entries = try Checkpoint(folder: path).entries
    #expect(FileIdentity(entries) == .adapter(configuration, .diffusers))
    let original = Dictionary(
      uniqueKeysWithValues: entries.map { (configuration.originalName(of: $0.key), $0.value) })
    #expect(Set(original.keys).isDisjoint(with: entries.keys))
    #expect(FileIdentity(original) == .adapter(configuration, .original))
  }
}
