import EspalierTensors

/// Group normalisation over the middle axes and the channels of a group, `act(norm(x)·γ + β)`.
///
/// Inputs: x `[B, …, C]`, gamma `[C]`, beta `[C]`. Outputs: y, mean `[B, G]`, reciprocal standard
/// deviation `[B, G]`; the last two exist only where a backward pass reads them. Source: Wu & He 2018.
struct GroupNorm: Operation {
  let groups: Int
  let epsilon: Double
  var activation = Activation.none

  var code: OperationCode { .groupNorm }
  var integers: [Int64] { [activation.rawValue, Int64(groups)] }
  var floats: [Double] { [epsilon] }
  var inPlaceInputs: [Int] { [0] }

  func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    let (x, gamma, beta) = (try input(inputs, 0), try input(inputs, 1), try input(inputs, 2))
    try require(
      x.shape.last % groups == 0, "\(x.shape.last) channels do not divide into \(groups) groups")
    try require(
      gamma.shape == [x.shape.last] && beta.shape == gamma.shape,
      "x has \(x.shape.last) channels, gamma \(gamma.shape) and beta \(beta.shape)")
    let statistics = TensorSpec(.float32, [x.shape[0], groups])
    return [x, statistics, statistics]
  }

  /// With x̂ the normalised x and m the mean over a group: dx = rstd·(γdy − m(γdy) − x̂·m(γdy·x̂)).
  func vjp(_ node: VJPNode) -> [Value?] {
    guard let dy = node.cotangents[0], node.needs.contains(true) else { return [nil, nil, nil] }
    let backward = GroupNormBackward(groups: groups, epsilon: epsilon, activation: activation)
    let gradients = dy.graph.apply(
      outputs: backward,
      [
        dy, node.inputs[0], node.outputs[1], node.outputs[2], node.inputs[1], node.inputs[2], nil,
      ])
    return (0..<3).map { node.needs[$0] ? gradients[$0] : nil }
  }
}

/// The gradients of `GroupNorm`: dy, x, mean, rstd, gamma, beta, residual? → dx?, dgamma?, dbeta?.
struct GroupNormBackward: Operation {
  let groups: Int
  let epsilon: Double
  let activation: Activation

  var code: OperationCode { .groupNormBackward }
  var integers: [Int64] { [activation.rawValue, Int64(groups)] }
  var floats: [Double] { [epsilon] }
  var inPlaceInputs: [Int] { [0, 6] }

  func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    let (x, gamma) = (try input(inputs, 1), try input(inputs, 4))
    return [x, TensorSpec(.float32, gamma.shape), TensorSpec(.float32, gamma.shape)]
  }
}
