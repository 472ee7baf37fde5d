import EspalierGraph
import EspalierTensors

/// What both CLIP text encoders have in common: embeddings, layers and the final norm.
///
/// Checkpoint keys, below `text_model`: `embeddings.token_embedding`,
/// `embeddings.position_embedding`, `encoder.layers.N`, `final_layer_norm`.
/// Source: Transformers `modeling_clip.py`, `CLIPTextModel`; Radford et al. 2021.
struct CLIPTextTransformer {
  private let tokenEmbedding, positionEmbedding: Value
  private let layers: [CLIPEncoderLayer]
  private let finalLayerNorm: LayerNorm
  private let path: String

  init(_ scope: Scope, _ configuration: CLIPTextConfiguration) {
    let embeddings = scope["embeddings"]
    let width = configuration.hiddenSize
    tokenEmbedding = embeddings["token_embedding"].parameter(
      "weight", [configuration.vocabSize, width])
    positionEmbedding = embeddings["position_embedding"].parameter(
      "weight", [configuration.maxPositionEmbeddings, width])
    layers = (0..<configuration.numHiddenLayers).map {
      CLIPEncoderLayer(scope["encoder"]["layers"][$0], configuration)
    }
    finalLayerNorm = LayerNorm(
      scope["final_layer_norm"], features: width, epsilon: configuration.layerNormEps)
    path = embeddings.path
  }

  /// - Parameter ids: i32 `[B, maxPositionEmbeddings]`.
  /// - Returns: The embeddings before the first layer and after each, and the last after the final
  ///   norm.
  func callAsFunction(_ ids: Value) -> (hiddenStates: [Value], lastHiddenState: Value) {
    var h = ids.embedded(in: tokenEmbedding, path: path) + positionEmbedding
    var hiddenStates = [h]
    for layer in layers {
      h = layer(h)
      hiddenStates.append(h)
    }
    return (hiddenStates, finalLayerNorm(h))
  }
}
