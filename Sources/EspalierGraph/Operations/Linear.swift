import EspalierTensors

/// Affine map of the last axis, `act(x·wᵀ + bias) + residual`.
///
/// Inputs: x `[…, K]`, weight `[N, K]`, bias `[N]`?, residual `[…, N]`?. Output `[…, N]`.
struct Linear: Operation {
  var activation = Activation.none

  var code: OperationCode { .linear }
  var integers: [Int64] { [activation.rawValue] }
  var inPlaceInputs: [Int] { [3] }

  func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    let (x, weight) = (try input(inputs, 0), try input(inputs, 1))
    try require(weight.shape.rank == 2, "the weight needs 2 axes")
    try require(
      x.shape.last == weight.shape[1],
      "x has \(x.shape.last) features, the weight expects \(weight.shape[1])")
    if let bias = inputs[2] {
      try require(bias.shape == [weight.shape[0]], "the bias does not match the weight")
    }
    let y = TensorSpec(x.dtype, x.shape.withLast(weight.shape[0]))
    if let residual = inputs[3] { try require(residual == y, "the residual is not \(y.shape)") }
    return [y]
  }

  /// dx = dy·w, dw = dyᵀ·x, dbias = Σ dy. Only a ReLU can be undone from the output alone, so no other
  /// activation is fused before differentiation.
  func vjp(_ node: VJPNode) -> [Value?] {
    guard let dOut = node.cotangents[0], let x = node.inputs[0], let weight = node.inputs[1] else {
      return [nil, nil, nil, nil]
    }
    let dy = EpilogueGradient.undo(activation, dOut, node)
    return [
      node.needs[0] ? x.graph.apply(LinearDX(), [dy, weight, nil]) : nil,
      node.needs[1] ? x.graph.apply(LinearDW(), [dy, x]) : nil,
      node.needs[2] ? dy.summed(to: Shape([weight.shape[0]])) : nil,
      node.needs[3] ? dOut : nil,
    ]
  }
}

/// The gradient of `Linear` with respect to x: dy `[…, N]`, weight `[N, K]`, residual `[…, K]`? → `[…, K]`.
struct LinearDX: Operation {
  var code: OperationCode { .linearDX }
  var inPlaceInputs: [Int] { [2] }

  func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    let (dy, weight) = (try input(inputs, 0), try input(inputs, 1))
    try require(dy.shape.last == weight.shape[0], "dy does not match the weight")
    return [TensorSpec(dy.dtype, dy.shape.withLast(weight.shape[1]))]
  }
}

/// The gradient of `Linear` with respect to the weight: dy `[…, N]`, x `[…, K]` → `[N, K]`.
struct LinearDW: Operation {
  var code: OperationCode { .linearDW }

  func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    let (dy, x) = (try input(inputs, 0), try input(inputs, 1))
    return [TensorSpec(.float32, [dy.shape.last, x.shape.last])]
  }
}

/// What `Linear` and `Conv2d` share about the activation in their epilogue.
enum EpilogueGradient {
  /// The cotangent before the activation. A ReLU is recognised by the output: `y > 0 ⇔ x > 0`; fusion
  /// leaves an activation together with a residual for after differentiation.
  static func undo(_ activation: Activation, _ dy: Value, _ node: VJPNode) -> Value {
    activation == .none
      ? dy : dy.graph.apply(UnaryBackward(function: activation), [dy, node.outputs[0]])
  }
}
