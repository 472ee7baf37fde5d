public import EspalierGraph

/// Multi-head attention from tokens to themselves or to a context.
///
/// Checkpoint keys: `to_q`, `to_k`, `to_v`, `to_out.0`.
/// Source: Diffusers `models/attention_processor.py`, `Attention` with `AttnProcessor2_0`.
public struct Attention {
  private let toQ, toK, toV, toOut: Linear
  private let heads: Int
  private let path: String

  /// Declares the parameters under `scope`; nothing is allocated.
  ///
  /// - Parameter hasBias: Whether q, k and v are affine; the output map always is.
  public init(
    _ scope: Scope, features: Int, contextFeatures: Int, heads: Int, hasBias: Bool = false
  ) {
    toQ = Linear(
      scope["to_q"], inFeatures: features, outFeatures: features, hasBias: hasBias)
    toK = Linear(
      scope["to_k"], inFeatures: contextFeatures, outFeatures: features, hasBias: hasBias)
    toV = Linear(
      scope["to_v"], inFeatures: contextFeatures, outFeatures: features, hasBias: hasBias)
    toOut = Linear(scope["to_out"][0], inFeatures: features, outFeatures: features)
    self.heads = heads
    path = scope.path
  }

  /// - Parameters:
  ///   - x: Tokens `[B, …, features]`; the middle axes of a map are its tokens.
  ///   - context: `[B, L, contextFeatures]`, or `nil` to attend to `x` itself.
  /// - Returns: The shape of `x`.
  public func callAsFunction(_ x: Value, context: Value? = nil) -> Value {
    let context = context ?? x
    let attended = toQ(x).attention(
      keys: toK(context), values: toV(context), heads: heads, path: path)
    return toOut(attended)
  }
}
