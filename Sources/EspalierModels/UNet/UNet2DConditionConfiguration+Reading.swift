import EspalierCheckpoints

extension UNet2DConditionConfiguration {
  /// Refuses what would make another network.
  static func requireSupported(_ json: JSONObject) throws(CheckpointError) {
    try json.require("act_fn", .string("silu"), .string("swish"))
    try json.require("addition_embed_type", .string("text_time"))
    try json.require("attention_type", .string("default"))
    try json.require("resnet_time_scale_shift", .string("default"))
    try json.require("time_embedding_type", .string("positional"))
    for key in [
      "center_input_sample", "class_embeddings_concat", "dual_cross_attention",
      "mid_block_only_cross_attention", "resnet_skip_time_act",
    ] {
      try json.require(key, .bool(false))
    }
    if json.value("only_cross_attention")?.array?.allSatisfy({ $0.bool == false }) != true {
      try json.require("only_cross_attention", .bool(false))
    }
    for key in ["mid_block_scale_factor", "resnet_out_scale_factor"] {
      try json.require(key, .number(1))
    }
    for key in [
      "class_embed_type", "cross_attention_norm", "encoder_hid_dim", "encoder_hid_dim_type",
      "num_class_embeds", "time_embedding_act_fn", "timestep_post_act",
    ] {
      try json.requireAbsent(key)
    }
    if json.keys.contains("norm_num_groups") && !json.has("norm_num_groups") {
      throw json.refused("norm_num_groups", expected: "a whole number")
    }
  }

  /// Which blocks of a list attend.
  static func attends(
    _ json: JSONObject, _ key: String, plain: String, attending: String, default value: [Bool]
  ) throws(CheckpointError) -> [Bool] {
    guard let names = try json.optionalStrings(key) else { return value }
    guard names.count == value.count, names.allSatisfy({ $0 == plain || $0 == attending }) else {
      throw json.refused(
        key, expected: "\(plain) or \(attending) for each of \(value.count) block_out_channels")
    }
    return names.map { $0 == attending }
  }

  static func midBlock(_ json: JSONObject) throws(CheckpointError) -> MidBlock {
    let key = "mid_block_type"
    switch try json.optionalString(key) {
    case "UNetMidBlock2DCrossAttn": return .crossAttention
    case "UNetMidBlock2D": return .resnet
    case nil: return json.keys.contains(key) ? .none : .crossAttention
    default:
      throw json.refused(key, expected: "UNetMidBlock2DCrossAttn, UNetMidBlock2D or null")
    }
  }

  /// Refuses channels that groups and heads do not divide.
  func requireDivisors(_ json: JSONObject, _ headsKey: String) throws(CheckpointError) {
    if !blockOutChannels.allSatisfy({ $0 % normNumGroups == 0 }) {
      throw json.refused("norm_num_groups", expected: "a divisor of all block_out_channels")
    }
    for (channels, heads) in zip(blockOutChannels, numAttentionHeads) where channels % heads != 0 {
      throw json.refused(headsKey, expected: "divisors of block_out_channels \(blockOutChannels)")
    }
    if let total = projectionClassEmbeddingsInputDim, let each = additionTimeEmbedDim,
      total <= each
    {
      throw json.refused("projection_class_embeddings_input_dim", expected: "more than \(each)")
    }
  }

  /// Transformer blocks per layer of each level, from a number, a list, or a list of lists.
  ///
  /// Source: Diffusers: the way up mirrors the way down unless
  /// `reverse_transformer_layers_per_block` says otherwise; the middle is as deep as the first
  /// layer of the lowest level.
  struct TransformerDepths {
    let down: [[Int]]
    let mid: Int
    let up: [[Int]]

    init(_ json: JSONObject, layersPerBlock: [Int]) throws(CheckpointError) {
      let key = "transformer_layers_per_block"
      let reverseKey = "reverse_transformer_layers_per_block"
      let upLayers = layersPerBlock.reversed().map { $0 + 1 }
      down = try Self.depths(json, key, layers: layersPerBlock)
      mid = down[down.count - 1][0]
      if json.has(reverseKey) {
        up = try Self.depths(json, reverseKey, layers: upLayers)
      } else {
        if json.value(key)?.array?.contains(where: { $0.array != nil }) == true {
          throw json.refused(reverseKey, expected: "a list, because \(key) holds lists")
        }
        up = zip(down.reversed(), upLayers).map { [Int](repeating: $0[0], count: $1) }
      }
    }

    private static func depths(
      _ json: JSONObject, _ key: String, layers: [Int]
    ) throws(CheckpointError) -> [[Int]] {
      let value = json.value(key) ?? .number(1)
      let perLevel = value.array ?? [JSONValue](repeating: value, count: layers.count)
      let depths = zip(perLevel, layers).map { element, count in
        element.int.map { [Int](repeating: $0, count: count) } ?? element.ints ?? []
      }
      let fits =
        perLevel.count == layers.count && zip(depths, layers).allSatisfy { $0.count == $1 }
        && depths.joined().allSatisfy((0...100).contains)
      if !fits {
        throw json.refused(
          key, expected: "a depth for each of \(layers.count) levels, or one for each of its layers"
        )
      }
      return depths
    }
  }
}
