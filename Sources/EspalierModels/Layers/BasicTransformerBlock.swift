public import EspalierGraph

/// Transformer block: attention to itself, attention to the text, feed-forward, each after a
/// LayerNorm.
///
/// Checkpoint keys: `norm1`, `attn1`, `norm2`, `attn2`, `norm3`, `ff`.
/// Source: Diffusers `models/attention.py`, `BasicTransformerBlock` with `norm_type="layer_norm"`.
public struct BasicTransformerBlock {
  private let norm1, norm2, norm3: LayerNorm
  private let attn1, attn2: Attention
  private let ff: FeedForward

  /// Declares the parameters under `scope`; nothing is allocated.
  public init(_ scope: Scope, features: Int, heads: Int, crossAttentionDim: Int) {
    norm1 = LayerNorm(scope["norm1"], features: features)
    attn1 = Attention(
      scope["attn1"], features: features, contextFeatures: features, heads: heads)
    norm2 = LayerNorm(scope["norm2"], features: features)
    attn2 = Attention(
      scope["attn2"], features: features, contextFeatures: crossAttentionDim, heads: heads)
    norm3 = LayerNorm(scope["norm3"], features: features)
    ff = FeedForward(scope["ff"], features: features)
  }

  /// - Parameters:
  ///   - x: Tokens `[B, …, features]`.
  ///   - encoderHiddenStates: Text `[B, L, crossAttentionDim]`.
  /// - Returns: The shape of `x`.
  public func callAsFunction(
    _ x: Value, encoderHiddenStates: Value, recorder: ActivationRecorder = .none
  ) -> Value {
    var h = x + recorder["attn1"](attn1(norm1(x)))
    h = h + recorder["attn2"](attn2(norm2(h), context: encoderHiddenStates))
    return h + recorder["ff"](ff(norm3(h)))
  }
}
