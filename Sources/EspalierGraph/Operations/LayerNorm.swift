import EspalierTensors

/// Layer normalisation over the last axis, `norm(x)·γ + β`.
///
/// Inputs: x `[…, C]`, gamma `[C]`, beta `[C]`. Outputs: y, mean `[…]`, reciprocal standard deviation
/// `[…]`; the last two exist only where a backward pass reads them. Source: Ba et al. 2016.
struct LayerNorm: Operation {
  let epsilon: Double

  var code: OperationCode { .layerNorm }
  var floats: [Double] { [epsilon] }
  var inPlaceInputs: [Int] { [0] }

  func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    let (x, gamma, beta) = (try input(inputs, 0), try input(inputs, 1), try input(inputs, 2))
    try require(
      gamma.shape == [x.shape.last] && beta.shape == gamma.shape,
      "x has \(x.shape.last) features, gamma \(gamma.shape) and beta \(beta.shape)")
    let statistics = TensorSpec(.float32, Shape(Array(x.shape.dims.dropLast())))
    return [x, statistics, statistics]
  }

  /// As for `GroupNorm`, with one row as the group.
  func vjp(_ node: VJPNode) -> [Value?] {
    guard let dy = node.cotangents[0], node.needs.contains(true) else { return [nil, nil, nil] }
    let gradients = dy.graph.apply(
      outputs: LayerNormBackward(epsilon: epsilon),
      [dy, node.inputs[0], node.outputs[1], node.outputs[2], node.inputs[1], nil])
    return (0..<3).map { node.needs[$0] ? gradients[$0] : nil }
  }
}

/// The gradients of `LayerNorm`: dy, x, mean, rstd, gamma, residual? → dx?, dgamma?, dbeta?.
struct LayerNormBackward: Operation {
  let epsilon: Double

  var code: OperationCode { .layerNormBackward }
  var floats: [Double] { [epsilon] }
  var inPlaceInputs: [Int] { [0, 5] }

  func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    let (x, gamma) = (try input(inputs, 1), try input(inputs, 4))
    return [x, TensorSpec(.float32, gamma.shape), TensorSpec(.float32, gamma.shape)]
  }
}
