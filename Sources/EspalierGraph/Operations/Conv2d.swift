import EspalierTensors

/// Zero padding in pixels on the four sides.
public struct Padding2D: Hashable, Sendable {
  public let top, left, bottom, right: Int

  public init(top: Int, left: Int, bottom: Int, right: Int) {
    self.top = top
    self.left = left
    self.bottom = bottom
    self.right = right
  }

  /// The same padding on all sides.
  public init(_ all: Int) { self.init(top: all, left: all, bottom: all, right: all) }
}

/// What the convolution and its two gradients share.
struct Conv2dGeometry: Hashable, Sendable {
  var stride: Int
  var padding: Padding2D

  var integers: [Int64] {
    [stride, padding.top, padding.left, padding.bottom, padding.right].map(Int64.init)
  }

  /// Rows and columns of the output for an input and a weight `[O, C, kh, kw]`.
  func outputSize(_ x: Shape, _ weight: Shape) -> (height: Int, width: Int) {
    let height = x[1] + padding.top + padding.bottom - weight[2]
    let width = x[2] + padding.left + padding.right - weight[3]
    return (height / stride + 1, width / stride + 1)
  }
}

/// Two-dimensional convolution, `act(conv(x, w) + bias + channel) + residual`.
///
/// Inputs: x `[B, H, W, C]`, weight `[O, C, kh, kw]`, bias `[O]`?, channel `[B, O]`?, residual
/// `[B, Ho, Wo, O]`?. Output `[B, Ho, Wo, O]`.
struct Conv2d: Operation {
  var geometry: Conv2dGeometry
  var activation = Activation.none

  var code: OperationCode { .conv2d }
  var integers: [Int64] { [activation.rawValue] + geometry.integers }
  var inPlaceInputs: [Int] { [4] }

  func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    let (x, weight) = (try input(inputs, 0), try input(inputs, 1))
    try require(x.shape.rank == 4, "x needs 4 axes [B, H, W, C]")
    try require(weight.shape.rank == 4, "the weight needs 4 axes [O, C, kh, kw]")
    try require(
      x.shape[3] == weight.shape[1],
      "x has \(x.shape[3]) channels, the weight expects \(weight.shape[1])")
    let padded = (
      x.shape[1] + geometry.padding.top + geometry.padding.bottom,
      x.shape[2] + geometry.padding.left + geometry.padding.right
    )
    try require(
      padded.0 >= weight.shape[2] && padded.1 >= weight.shape[3],
      "the map is smaller than the kernel")
    if let bias = inputs[2] {
      try require(bias.shape == [weight.shape[0]], "the bias does not match the weight")
    }
    if let channel = inputs[3] {
      try require(channel.shape == [x.shape[0], weight.shape[0]], "the channel term is not [B, O]")
    }
    let size = geometry.outputSize(x.shape, weight.shape)
    let y = TensorSpec(x.dtype, [x.shape[0], size.height, size.width, weight.shape[0]])
    if let residual = inputs[4] { try require(residual == y, "the residual is not \(y.shape)") }
    return [y]
  }

  /// dx is the transposed convolution of dy, dw correlates x with dy, the added terms get sums of dy.
  func vjp(_ node: VJPNode) -> [Value?] {
    guard let dOut = node.cotangents[0], let x = node.inputs[0], let weight = node.inputs[1] else {
      return [nil, nil, nil, nil, nil]
    }
    let dy = EpilogueGradient.undo(activation, dOut, node)
    return [
      node.needs[0]
        ? x.graph.apply(Conv2dDX(geometry: geometry, x: x.shape), [dy, weight, nil]) : nil,
      node.needs[1]
        ? x.graph.apply(Conv2dDW(geometry: geometry, weight: weight.shape), [dy, x]) : nil,
      node.needs[2] ? dy.summed(to: Shape([weight.shape[0]])) : nil,
      node.needs[3] ? dy.summedOverMiddleAxes() : nil,
      node.needs[4] ? dOut : nil,
    ]
  }
}

/// The gradient of `Conv2d` with respect to x: dy, weight, residual `[B, H, W, C]`? → `[B, H, W, C]`.
struct Conv2dDX: Operation {
  let geometry: Conv2dGeometry
  let x: Shape

  var code: OperationCode { .conv2dDX }
  var integers: [Int64] { [Activation.none.rawValue] + geometry.integers }
  var inPlaceInputs: [Int] { [2] }

  func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    [TensorSpec(try input(inputs, 0).dtype, x)]
  }
}

/// The gradient of `Conv2d` with respect to the weight: dy, x → `[O, C, kh, kw]`.
struct Conv2dDW: Operation {
  let geometry: Conv2dGeometry
  let weight: Shape

  var code: OperationCode { .conv2dDW }
  var integers: [Int64] { [Activation.none.rawValue] + geometry.integers }

  func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    [TensorSpec(.float32, weight)]
  }
}
