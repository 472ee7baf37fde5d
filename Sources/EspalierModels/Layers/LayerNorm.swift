public import EspalierGraph
import EspalierTensors

/// Layer normalisation of tokens with a learned scale and shift.
///
/// Checkpoint keys: `weight` `[features]`, `bias` `[features]`.
public struct LayerNorm {
  private let path: String
  private let weight, bias: Value
  private let epsilon: Double

  /// Declares the parameters under `scope`; nothing is allocated.
  public init(_ scope: Scope, features: Int, epsilon: Double = 1e-5) {
    path = scope.path
    weight = scope.parameter("weight", [features])
    bias = scope.parameter("bias", [features])
    self.epsilon = epsilon
  }

  /// - Parameter x: Tokens `[B, …, features]`.
  /// - Returns: The same shape.
  public func callAsFunction(_ x: Value) -> Value {
    x.layerNorm(gamma: weight, beta: bias, epsilon: epsilon, path: path)
  }
}
