import EspalierGraph

/// Layer of the CLIP text encoder: causal attention and a feed-forward network, each after a
/// LayerNorm.
///
/// Checkpoint keys: `layer_norm1`, `self_attn.{q,k,v,out}_proj`, `layer_norm2`, `mlp.fc1`,
/// `mlp.fc2`.
/// Source: Transformers `modeling_clip.py`, `CLIPEncoderLayer`.
struct CLIPEncoderLayer {
  private let layerNorm1, layerNorm2: LayerNorm
  private let qProj, kProj, vProj, outProj: Linear
  private let fc1, fc2: Linear
  private let heads: Int
  private let activation: Activation
  private let path: String

  init(_ scope: Scope, _ configuration: CLIPTextConfiguration) {
    let (width, inner) = (configuration.hiddenSize, configuration.intermediateSize)
    let (attention, mlp) = (scope["self_attn"], scope["mlp"])
    layerNorm1 = LayerNorm(
      scope["layer_norm1"], features: width, epsilon: configuration.layerNormEps)
    qProj = Linear(attention["q_proj"], inFeatures: width, outFeatures: width)
    kProj = Linear(attention["k_proj"], inFeatures: width, outFeatures: width)
    vProj = Linear(attention["v_proj"], inFeatures: width, outFeatures: width)
    outProj = Linear(attention["out_proj"], inFeatures: width, outFeatures: width)
    layerNorm2 = LayerNorm(
      scope["layer_norm2"], features: width, epsilon: configuration.layerNormEps)
    fc1 = Linear(mlp["fc1"], inFeatures: width, outFeatures: inner)
    fc2 = Linear(mlp["fc2"], inFeatures: inner, outFeatures: width)
    heads = configuration.numAttentionHeads
    activation = configuration.activation
    path = attention.path
  }

  /// - Parameter x: `[B, L, hiddenSize]`.
  func callAsFunction(_ x: Value) -> Value {
    let normed = layerNorm1(x)
    let attended = qProj(normed).attention(
      keys: kProj(normed), values: vProj(normed), heads: heads, isCausal: true, path: path)
    let h = x + outProj(attended)
    return h + fc2(fc1(layerNorm2(h)).activated(activation))
  }
}
