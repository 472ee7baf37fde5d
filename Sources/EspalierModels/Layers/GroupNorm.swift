public import EspalierGraph
import EspalierTensors

/// Group normalisation of a feature map with a learned scale and shift.
///
/// Checkpoint keys: `weight` `[channels]`, `bias` `[channels]`.
public struct GroupNorm {
  let path: String
  let weight, bias: Value
  let groups: Int
  let epsilon: Double

  /// Declares the parameters under `scope`; nothing is allocated.
  public init(_ scope: Scope, groups: Int, channels: Int, epsilon: Double) {
    path = scope.path
    weight = scope.parameter("weight", [channels])
    bias = scope.parameter("bias", [channels])
    self.groups = groups
    self.epsilon = epsilon
  }

  /// - Parameter x: Feature map `[B, H, W, channels]`.
  /// - Returns: The same shape.
  public func callAsFunction(_ x: Value) -> Value {
    x.groupNorm(groups: groups, gamma: weight, beta: bias, epsilon: epsilon, path: path)
  }
}
