import EspalierTensors

/// Gated linear unit with an exact GELU: x `[…, 2F]` → `x[…, :F] · gelu(x[…, F:])`.
///
/// Source: Shazeer 2020; Diffusers `models/activations.py`, `GEGLU`.
struct GEGLU: Operation {
  var code: OperationCode { .geglu }

  func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    let x = try input(inputs, 0)
    try require(x.shape.last % 2 == 0, "\(x.shape.last) features do not halve")
    return [TensorSpec(x.dtype, x.shape.withLast(x.shape.last / 2))]
  }

  /// d value = dy·gelu(gate), d gate = dy·value·gelu'(gate).
  func vjp(_ node: VJPNode) -> [Value?] {
    guard let dy = node.cotangents[0], node.needs[0] else { return [nil] }
    return [dy.graph.apply(GEGLUBackward(), [dy, node.inputs[0]])]
  }
}

/// The gradient of `GEGLU`: dy `[…, F]`, x `[…, 2F]` → `[…, 2F]`.
struct GEGLUBackward: Operation {
  var code: OperationCode { .gegluBackward }
  var inPlaceInputs: [Int] { [1] }

  func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    [try input(inputs, 1)]
  }
}
