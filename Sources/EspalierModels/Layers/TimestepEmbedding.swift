public import EspalierGraph

/// Two linear maps with a SiLU in between that turn sinusoids into an embedding.
///
/// Checkpoint keys: `linear_1`, `cond_proj` (guidance-distilled checkpoints only), `linear_2`.
/// Source: Diffusers `models/embeddings.py`, `TimestepEmbedding`.
public struct TimestepEmbedding {
  private let linear1, linear2: Linear
  private let condProj: Linear?

  /// Declares the parameters under `scope`; nothing is allocated.
  ///
  /// - Parameter condProjDim: Features of the guidance embedding, or `nil` if there is none.
  public init(_ scope: Scope, inFeatures: Int, timeEmbedDim: Int, condProjDim: Int? = nil) {
    linear1 = Linear(scope["linear_1"], inFeatures: inFeatures, outFeatures: timeEmbedDim)
    condProj = condProjDim.map {
      Linear(scope["cond_proj"], inFeatures: $0, outFeatures: inFeatures, hasBias: false)
    }
    linear2 = Linear(scope["linear_2"], inFeatures: timeEmbedDim, outFeatures: timeEmbedDim)
  }

  /// - Parameters:
  ///   - x: Sinusoids `[B, inFeatures]`.
  ///   - condition: Guidance embedding `[B, condProjDim]`.
  /// - Returns: `[B, timeEmbedDim]`.
  public func callAsFunction(_ x: Value, condition: Value? = nil) -> Value {
    var h = x
    if let condProj, let condition { h = h + condProj(condition) }
    return linear2(linear1(h).silu())
  }
}
