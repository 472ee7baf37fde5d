public import EspalierGraph
import EspalierTensors

/// Affine map of the last axis.
///
/// Checkpoint keys: `weight` `[outFeatures, inFeatures]`, `bias` `[outFeatures]`.
public struct Linear {
  private let path: String
  private let weight: Value
  private let bias: Value?

  /// Declares the parameters under `scope`; nothing is allocated.
  public init(_ scope: Scope, inFeatures: Int, outFeatures: Int, hasBias: Bool = true) {
    path = scope.path
    weight = scope.parameter("weight", [outFeatures, inFeatures])
    bias = hasBias ? scope.parameter("bias", [outFeatures]) : nil
  }

  /// - Parameter x: `[…, inFeatures]`.
  /// - Returns: `[…, outFeatures]`.
  public func callAsFunction(_ x: Value) -> Value {
    x.linear(weight: weight, bias: bias, path: path)
  }
}
