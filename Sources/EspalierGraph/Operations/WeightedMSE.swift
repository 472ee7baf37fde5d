import EspalierTensors

/// Mean squared error with one weight per sample, in f32.
///
/// Inputs: prediction `[B, …]`, target `[B, …]`, weight `[B]`. Outputs: the loss
/// `mean_b(weight_b · mean((prediction − target)²))` as `[1]`, and the unweighted mean of each sample `[B]`.
struct WeightedMSE: Operation {
  var code: OperationCode { .weightedMSE }

  func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    let (prediction, target) = (try input(inputs, 0), try input(inputs, 1))
    let weight = try input(inputs, 2)
    try require(prediction.shape == target.shape, "prediction and target differ in shape")
    try require(weight.shape == [prediction.shape[0]], "there must be one weight per sample")
    return [TensorSpec(.float32, [1]), TensorSpec(.float32, weight.shape)]
  }

  /// d prediction = dloss · weight_b · 2(prediction − target)/(B·n).
  func vjp(_ node: VJPNode) -> [Value?] {
    guard let dLoss = node.cotangents[0], node.needs[0] else { return [nil, nil, nil] }
    return [dLoss.graph.apply(WeightedMSEBackward(), [dLoss] + node.inputs), nil, nil]
  }
}

/// The gradient of `WeightedMSE`: dloss `[1]`, prediction, target, weight → d prediction.
struct WeightedMSEBackward: Operation {
  var code: OperationCode { .weightedMSEBackward }
  var inPlaceInputs: [Int] { [1] }

  func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    [try input(inputs, 1)]
  }
}
