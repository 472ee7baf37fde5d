import EspalierTensors

/// Multi-head attention, `softmax(scale · q·kᵀ)·v` per head, without ever storing the scores.
///
/// Inputs: q `[B, …, h·d]`, k and v `[B, …, h·d]`; the middle axes are tokens. Outputs: o (as q) and the
/// log-sum-exp `[B, h, Nq]`, which exists only where a backward pass reads it. Source: Dao et al. 2022.
struct Attention: Operation {
  let heads: Int
  let scale: Double
  let isCausal: Bool

  var code: OperationCode { .attention }
  var integers: [Int64] { [Int64(heads), isCausal ? 1 : 0] }
  var floats: [Double] { [scale] }

  func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    let (q, k, v) = (try input(inputs, 0), try input(inputs, 1), try input(inputs, 2))
    try require(q.shape.rank >= 3 && k.shape.rank >= 3, "q, k and v need a batch and a token axis")
    try require(
      q.shape.last == k.shape.last && q.shape[0] == k.shape[0] && k.shape == v.shape,
      "q, k and v do not belong together")
    try require(
      q.shape.last % heads == 0, "\(q.shape.last) features do not divide into \(heads) heads")
    let tokens = q.shape.dims[1..<(q.shape.rank - 1)].reduce(1, *)
    return [q, TensorSpec(.float32, [q.shape[0], heads, tokens])]
  }

  /// Recomputes the probabilities from the log-sum-exp; a frozen text context asks for dq alone.
  func vjp(_ node: VJPNode) -> [Value?] {
    guard let dOut = node.cotangents[0], node.needs.contains(true) else { return [nil, nil, nil] }
    let backward = AttentionBackward(heads: heads, scale: scale, isCausal: isCausal)
    let gradients = dOut.graph.apply(
      outputs: backward, [dOut] + node.inputs + [node.outputs[0], node.outputs[1]])
    return (0..<3).map { node.needs[$0] ? gradients[$0] : nil }
  }
}

/// The gradients of `Attention`: do, q, k, v, o, lse → dq?, dk?, dv?.
struct AttentionBackward: Operation {
  let heads: Int
  let scale: Double
  let isCausal: Bool

  var code: OperationCode { .attentionBackward }
  var integers: [Int64] { [Int64(heads), isCausal ? 1 : 0] }
  var floats: [Double] { [scale] }

  func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    [try input(inputs, 1), try input(inputs, 2), try input(inputs, 3)]
  }
}
