public import EspalierGraph

/// Gated feed-forward network of a transformer block, four times as wide as its input.
///
/// Checkpoint keys: `net.0.proj`, `net.2`.
/// Source: Diffusers `models/attention.py`, `FeedForward` with `activation_fn="geglu"`.
public struct FeedForward {
  private let proj, out: Linear

  /// Declares the parameters under `scope`; nothing is allocated.
  public init(_ scope: Scope, features: Int) {
    proj = Linear(scope["net"][0]["proj"], inFeatures: features, outFeatures: 8 * features)
    out = Linear(scope["net"][2], inFeatures: 4 * features, outFeatures: features)
  }

  /// - Parameter x: Tokens `[B, …, features]`.
  /// - Returns: The same shape.
  public func callAsFunction(_ x: Value) -> Value { out(proj(x).geglu()) }
}
