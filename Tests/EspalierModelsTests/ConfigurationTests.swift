import EspalierCheckpoints
import EspalierGraph
import EspalierModels
import EspalierTensors
import TestSupport
import Testing

@Suite("Configurations") struct ConfigurationTests {
  static let unsupported: [(String, JSONValue)] = [
    ("act_fn", .string("gelu")), ("addition_embed_type", .string("text_image")),
    ("center_input_sample", .bool(true)), ("class_embed_type", .string("timestep")),
    ("encoder_hid_dim", .number(4096)), ("norm_num_groups", .null),
    ("only_cross_attention", .array([.bool(true), .bool(false), .bool(false)])),
    ("resnet_time_scale_shift", .string("scale_shift")), ("mid_block_scale_factor", .number(2)),
    ("mid_block_type", .string("UNetMidBlock2DSimpleCrossAttn")),
    ("down_block_types", .array([.string("AttnDownBlock2D")])),
    ("block_out_channels", .array([.number(0)])), ("in_channels", .number(1 << 40)),
    ("attention_head_dim", .number(7)), ("layers_per_block", .string("two")),
    ("transformer_layers_per_block", .array([.number(1), .number(2)])),
  ]

  @Test(arguments: unsupported)
  func `a U-Net of another kind is refused with file, key and value`(
    key: String, value: JSONValue
  ) throws {
    let error = try #require(throws: CheckpointError.self) {
      try UNet2DConditionConfiguration(sdxl("unet", changing: [key: value]))
    }
    guard case .configuration(let path, let found?, _, _) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(path == "config.json")
    #expect(found == key || key == "block_out_channels")
  }

  @Test func `a U-Net's depths may differ from layer to layer, with those of the way up given`()
    throws
  {
    let down: JSONValue = .array([
      .number(0), .array([.number(2), .number(2)]), .array([.number(4), .number(4)]),
    ])
    let up: JSONValue = .array([
      .array([.number(4), .number(4), .number(10)]), .array([.number(2), .number(1), .number(1)]),
      .number(0),
    ])
    let key = "transformer_layers_per_block"
    let configuration = try UNet2DConditionConfiguration(
      sdxl("unet", changing: [key: down, "reverse_" + key: up]))
    #expect(configuration.downDepths == [[0, 0], [2, 2], [4, 4]])
    #expect(configuration.upDepths == [[4, 4, 10], [2, 1, 1], [0, 0, 0]])
    #expect(configuration.midDepth == 4)
    let keys = Set(UNet2DConditionModel.parameters(configuration).map(\.key))
    #expect(keys.contains("up_blocks.0.attentions.2.transformer_blocks.9.norm1.weight"))
    #expect(!keys.contains("up_blocks.1.attentions.1.transformer_blocks.1.norm1.weight"))
    #expect(throws: CheckpointError.self) {
      try UNet2DConditionConfiguration(sdxl("unet", changing: [key: down]))
    }
  }

  @Test func `a U-Net's middle may be one residual block or missing`() throws {
    for (value, count) in [(JSONValue.string("UNetMidBlock2D"), 10), (.null, 0)] {
      let configuration = try UNet2DConditionConfiguration(
        sdxl("unet", changing: ["mid_block_type": value]))
      let keys = UNet2DConditionModel.parameters(configuration).map(\.key)
      #expect(keys.count { $0.hasPrefix("mid_block.") } == count)
    }
  }

  @Test func `a guidance-distilled U-Net has the projection of its guidance scale`() throws {
    let configuration = try UNet2DConditionConfiguration(
      sdxl("unet", changing: ["time_cond_proj_dim": .number(256)]))
    let parameters = UNet2DConditionModel.parameters(configuration)
    let projection = parameters.first { $0.key == "time_embedding.cond_proj.weight" }
    #expect(projection?.shape == [320, 256])
  }

  @Test func `features of an SDXL adapter fit an SDXL U-Net, odd sizes included`() throws {
    let unet = try UNet2DConditionConfiguration(sdxl("unet"))
    for (height, width) in [(1024, 1024), (896, 1152), (1040, 720), (48, 16)] {
      #expect(
        unet.adapterFeatureShapes(batch: 2, height: height / 8, width: width / 8)
          == T2IAdapterConfiguration.sdxl.featureShapes(batch: 2, height: height, width: width))
    }
  }

  @Test func `SDXL's numbers of time ids and downscale factors follow from its configurations`()
    throws
  {
    #expect(try UNet2DConditionConfiguration(sdxl("unet")).timeIDCount(textFeatures: 1280) == 6)
    #expect(try AutoencoderKLConfiguration(sdxl("vae")).downscaleFactor == 8)
    #expect(T2IAdapterConfiguration.sdxl.totalDownscaleFactor == 32)
  }

  @Test(arguments: ["adapter_xl", "adapter_xl_gray", "adapter_full", "adapter_light"])
  func `an adapter's configuration is written as it was read`(folder: String) throws {
    let path = folder + "/config.json"
    let configuration = try T2IAdapterConfiguration(
      JSONObject(contentsOf: Fixtures.path(path)))
    let written = try #require(configuration.json.members)
    let original = try #require(try Fixtures.json(path).members)
    let withoutVersion = { (members: [JSONMember]) in
      Set(members.filter { $0.key != "_diffusers_version" })
    }
    #expect(withoutVersion(written) == withoutVersion(original))
    #expect(written.contains { $0.key == "_diffusers_version" })
  }

  @Test func `an adapter that cannot be built is refused`() throws {
    for (key, value) in [
      ("adapter_type", JSONValue.string("tiny_adapter")), ("channels", .array([])),
      ("channels", .array([320, 640, 1280, 640].map { .number($0) })),
      ("downscale_factor", .number(1 << 40)), ("in_channels", .number(-3)),
    ] {
      let error = #expect(throws: CheckpointError.self, "\(key)") {
        try T2IAdapterConfiguration(sdxl("t2i_adapter_xl", changing: [key: value]))
      }
      #expect(error?.description.contains(key) == true)
    }
  }

  @Test func `a VAE of another kind is refused`() throws {
    for (key, value) in [
      ("act_fn", JSONValue.string("relu")), ("shift_factor", .number(0.1)),
      ("scaling_factor", .number(0)), ("norm_num_groups", .number(33)),
      ("latents_mean", .array([.number(1)])), ("up_block_types", .array([.string("UpBlock2D")])),
    ] {
      #expect(throws: CheckpointError.self, "\(key)") {
        try AutoencoderKLConfiguration(sdxl("vae", changing: [key: value]))
      }
    }
  }

  @Test func `the end of the text is the highest id in old configurations, else the first such id`()
    throws
  {
    let legacy = try CLIPTextConfiguration(sdxl("text_encoder"))
    #expect(legacy.eosPositions([[5, 49407, 0, 49407], [49407, 1, 1, 1]]) == [1, 0])
    let current = try CLIPTextConfiguration(
      sdxl("text_encoder", changing: ["eos_token_id": .number(7)]))
    #expect(current.eosPositions([[5, 7, 9, 7], [1, 2, 3, 4]]) == [1, 0])
  }

  @Test func `an unknown model is refused with the known ones`() throws {
    let json = JSONObject(
      [JSONMember(key: "_class_name", value: .string("FluxTransformer2DModel"))],
      path: "config.json")
    let error = #expect(throws: ModelError.self) { try ModelRegistry.standard.model(for: json) }
    #expect(error?.description.contains("FluxTransformer2DModel") == true)
    #expect(error?.description.contains("UNet2DConditionModel") == true)
  }

  @Test func `a model in the wrong role is refused, in the right one it is made`() throws {
    let json = try sdxl("vae")
    let error = #expect(throws: ModelError.self) {
      try ModelRegistry.standard.model(for: json, as: (any Denoiser.Type).self)
    }
    #expect(error?.description.contains("AutoencoderKL") == true)
    let type = try ModelRegistry.standard.model(for: json, as: (any Autoencoder.Type).self)
    #expect(
      try type.init(GraphBuilder().scope("vae"), json: json).configuration.latentChannels == 4)
  }

  @Test func `adapters of different sizes are not combined`() throws {
    let graph = GraphBuilder()
    let other = T2IAdapterConfiguration(
      adapterType: .full, inChannels: 3, channels: [320, 640, 1280, 1280], numResBlocks: 2,
      downscaleFactor: 16)
    let adapters = [T2IAdapterConfiguration.sdxl, other].enumerated().map {
      T2IAdapter(graph.scope("adapter_\($0)"), $1)
    }
    let error = #expect(throws: ModelError.self) { try MultiAdapter(adapters) }
    #expect(
      error == .incompatibleAdapters(key: "total_downscale_factor", values: ["32", "128"]))
  }

  /// A component's configuration in SDXL with some keys changed.
  private func sdxl(
    _ component: String, changing changes: [String: JSONValue] = [:]
  ) throws -> JSONObject {
    let isAdapter = component == "t2i_adapter_xl"
    let folder = isAdapter ? Fixtures.project + "/Tests/SDXLLayout" : Fixtures.sdxlFolder
    let path = folder + "/\(component)/config.json"
    let original = try JSONObject(contentsOf: path)
    var members = original.keys.filter { changes[$0] == nil }
      .map { JSONMember(key: $0, value: original.value($0) ?? .null) }
    members += changes.map { JSONMember(key: $0.key, value: $0.value) }
    return JSONObject(members, path: "config.json")
  }
}
