public import EspalierCheckpoints
import EspalierGraph

/// The keys of a CLIP text encoder's `config.json`.
///
/// Source: Transformers `configuration_clip.py`, `CLIPTextConfig`, whose defaults apply to absent
/// keys.
public struct CLIPTextConfiguration: TextEncoderConfiguration, Hashable {
  /// Rows of the token table.
  public let vocabSize: Int
  /// Features of a token.
  public let hiddenSize: Int
  /// Features inside the feed-forward network.
  public let intermediateSize: Int
  /// Features of the pooled embedding, for encoders with a projection.
  public let projectionDim: Int
  public let numHiddenLayers: Int
  public let numAttentionHeads: Int
  /// The number of tokens of every prompt, padding included.
  public let maxPositionEmbeddings: Int
  /// `quick_gelu` or `gelu`.
  public let hiddenAct: String
  public let layerNormEps: Double
  /// The id of the end-of-text token. Old configurations say 2, which stands for "the highest id".
  public let eosTokenID: Int

  public init(_ json: JSONObject) throws(CheckpointError) {
    vocabSize = try json.size("vocab_size", default: 49408, in: 1...16_777_216)
    hiddenSize = try json.size("hidden_size", default: 512)
    intermediateSize = try json.size("intermediate_size", default: 2048)
    projectionDim = try json.size("projection_dim", default: 512)
    numHiddenLayers = try json.size("num_hidden_layers", default: 12, in: 1...1000)
    numAttentionHeads = try json.size("num_attention_heads", default: 8)
    maxPositionEmbeddings = try json.size("max_position_embeddings", default: 77)
    hiddenAct = try json.optionalString("hidden_act") ?? "quick_gelu"
    layerNormEps = try json.optionalDouble("layer_norm_eps") ?? 1e-5
    eosTokenID = try json.optionalInt("eos_token_id") ?? 49407
    try json.require("hidden_act", .string("quick_gelu"), .string("gelu"))
    if hiddenSize % numAttentionHeads != 0 {
      throw json.refused("num_attention_heads", expected: "a divisor of hidden_size \(hiddenSize)")
    }
  }

  public var keyMap: KeyMap { .clipTextModel }

  var activation: Activation { hiddenAct == "gelu" ? .gelu : .quickGelu }

  /// Where each prompt's end-of-text token stands, the place of the pooled embedding.
  ///
  /// Source: Transformers `modeling_clip.py`: the first highest id if the configuration says 2,
  /// else the first end-of-text token, and the start if there is none.
  ///
  /// - Parameter ids: One row of token ids per prompt.
  public func eosPositions(_ ids: [[Int32]]) -> [Int32] {
    ids.map { row in
      let wanted = eosTokenID == 2 ? row.max() : Int32(exactly: eosTokenID)
      return Int32(row.firstIndex { $0 == wanted } ?? 0)
    }
  }
}
