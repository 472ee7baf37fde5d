import EspalierCheckpoints

/// A configuration as text: its class and the keys that tell models of that class apart.
struct InspectedConfiguration {
  private let json: JSONObject

  /// The keys of the known classes in the order shown; of other classes all scalars are shown.
  private static let keys: [String: [String]] = [
    "UNet2DConditionModel": [
      "sample_size", "in_channels", "out_channels", "block_out_channels", "layers_per_block",
      "transformer_layers_per_block", "attention_head_dim", "cross_attention_dim",
      "projection_class_embeddings_input_dim", "time_cond_proj_dim",
    ],
    "AutoencoderKL": [
      "sample_size", "latent_channels", "block_out_channels", "layers_per_block", "scaling_factor",
      "force_upcast",
    ],
    "CLIPTextModel": Self.textKeys,
    "CLIPTextModelWithProjection": Self.textKeys + ["projection_dim"],
    "T2IAdapter": [
      "adapter_type", "in_channels", "channels", "num_res_blocks", "downscale_factor",
    ],
  ]

  private static let textKeys = [
    "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "hidden_act",
    "vocab_size", "max_position_embeddings",
  ]

  init(_ json: JSONObject) { self.json = json }

  /// The class and the keys, one in a line.
  var lines: [String] {
    let shown =
      json.className.flatMap { Self.keys[$0] }
      ?? json.keys.filter { key in
        guard !key.hasPrefix("_"), let value = json.value(key) else { return false }
        return value.members == nil
      }
    let rows = shown.compactMap { key in json.value(key).map { (key, Self.text($0)) } }
    return ["class     \(json.className ?? "not named")"] + Self.table(rows).map { "  " + $0 }
  }

  /// Names and values in two columns.
  static func table(_ rows: [(String, String)]) -> [String] {
    let width = rows.map(\.0.count).max() ?? 0
    return rows.map { name, value in
      name + String(repeating: " ", count: width - name.count + 2) + value
    }
  }

  /// A value in a line.
  static func text(_ value: JSONValue) -> String {
    switch value {
    case .string(let text): text
    case .number(let text): text
    case .array(let elements): "[" + elements.map(text).joined(separator: ", ") + "]"
    case .object(let members):
      "{" + members.map { "\($0.key): \(text($0.value))" }.joined(separator: ", ") + "}"
    case .bool, .null: value.kind
    }
  }
}
