public import EspalierTensors

/// Random weights that keep activations near 1 in every layer, so that a network of them can be run,
/// measured and compared without a download.
///
/// Matrices and kernels are uniform with variance 1 / inputs, which keeps the variance of what flows
/// through (LeCun et al. 1998, "Efficient BackProp"); biases are uniform within ±1/√inputs, as
/// PyTorch's; norms scale by 1 ± 0.1 and shift by ± 0.1, so that none of them is the identity. The
/// last map of each branch of a text encoder is divided by the root of the number of branches
/// (Radford et al. 2019, section 2.3), since up to 64 of them are summed without a norm in between.
public enum RandomWeights {
  /// A parameter whose numbers are uniform within `center` ± `halfWidth`.
  public struct Parameter: Sendable, Equatable {
    public let key: String
    public let shape: Shape
    public let center: Float
    public let halfWidth: Float
  }

  /// The parameters of a model with their ranges, in the same order.
  ///
  /// - Parameter parameters: As `Model.parameters` gives them: a bias follows its weight.
  public static func parameters(_ parameters: [(key: String, shape: Shape)]) -> [Parameter] {
    let branches = parameters.count { isBranchEnd($0.key) }
    // What the last weight says about its bias.
    var biasHalfWidth: Double = 0
    return parameters.map { key, shape in
      let center: Double
      let halfWidth: Double
      if shape.rank == 1 && key.hasSuffix("bias") {
        (center, halfWidth) = (0, biasHalfWidth)
      } else if shape.rank == 1 {
        (center, halfWidth) = (1, normWidth)
        biasHalfWidth = normWidth
      } else if key.hasSuffix("embedding.weight") {
        (center, halfWidth) = (0, halfWidthOfUnit * embeddingDeviation)
      } else {
        let inputs = Double(shape.dims.dropFirst().reduce(1, *))
        let scale = isBranchEnd(key) ? 1 / Double(branches).squareRoot() : 1
        (center, halfWidth) = (0, halfWidthOfUnit * scale / inputs.squareRoot())
        biasHalfWidth = scale / inputs.squareRoot()
      }
      return Parameter(
        key: key, shape: shape, center: Float(center), halfWidth: Float(halfWidth))
    }
  }

  private static let normWidth = 0.1

  /// Of tokens and of positions, whose sum then varies by about 1.
  private static let embeddingDeviation = 0.7

  /// Half the width of a uniform distribution of variance 1.
  private static let halfWidthOfUnit = 3.0.squareRoot()

  /// Of CLIP's layers; the names occur in no other model here.
  private static func isBranchEnd(_ key: String) -> Bool {
    key.hasSuffix("self_attn.out_proj.weight") || key.hasSuffix("mlp.fc2.weight")
  }
}
