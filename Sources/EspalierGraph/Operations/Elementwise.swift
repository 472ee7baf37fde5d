import EspalierTensors

/// An elementwise function of one tensor.
struct Unary: Operation {
  let function: Activation

  var code: OperationCode { .unary }
  var integers: [Int64] { [function.rawValue] }
  var inPlaceInputs: [Int] { [0] }

  func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    [try input(inputs, 0)]
  }

  /// dx = dy · f'(x); the kernel recomputes what it needs from x alone.
  func vjp(_ node: VJPNode) -> [Value?] {
    guard let dy = node.cotangents[0], node.needs[0] else { return [nil] }
    return [dy.graph.apply(UnaryBackward(function: function), [dy, node.inputs[0]])]
  }
}

/// The gradient of `Unary`: dy, x → dy · f'(x).
struct UnaryBackward: Operation {
  let function: Activation

  var code: OperationCode { .unaryBackward }
  var integers: [Int64] { [function.rawValue] }
  var inPlaceInputs: [Int] { [0, 1] }

  func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    [try input(inputs, 0)]
  }
}

/// How the second operand of `Add` and `Mul` covers the first.
enum Broadcast: Int64, Sendable {
  /// The same shape, or right-aligned axes of which some are 1 or missing.
  case rightAligned = 0
  /// `[B, C]` over `[B, …, C]`.
  case perSample = 1

  func accepts(_ a: Shape, _ b: Shape) -> Bool {
    switch self {
    case .perSample: b.rank == 2 && a.rank >= 2 && b[0] == a[0] && b[1] == a.last
    case .rightAligned:
      b.rank <= a.rank
        && zip(b.dims.reversed(), a.dims.reversed()).allSatisfy { $0 == $1 || $0 == 1 }
    }
  }

  /// Sums a cotangent of the first operand's shape down to the second's.
  func reduce(_ cotangent: Value, to shape: Shape) -> Value {
    if cotangent.shape == shape { return cotangent }
    return self == .perSample ? cotangent.summedOverMiddleAxes() : cotangent.summed(to: shape)
  }
}

/// An operation on two tensors, of which the second covers the first.
protocol BroadcastOperation: Operation {
  var broadcast: Broadcast { get }
}

extension BroadcastOperation {
  var integers: [Int64] { [broadcast.rawValue] }
  var inPlaceInputs: [Int] { [0, 1] }

  func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    let (a, b) = (try input(inputs, 0), try input(inputs, 1))
    try require(broadcast.accepts(a.shape, b.shape), "b does not cover a")
    return [a]
  }
}

/// The sum a + b; see `Broadcast` for the shapes.
struct Add: BroadcastOperation {
  let broadcast: Broadcast

  var code: OperationCode { .add }

  /// Both operands get dy, the second summed over what it was repeated along.
  func vjp(_ node: VJPNode) -> [Value?] {
    guard let dy = node.cotangents[0], let b = node.inputs[1] else { return [nil, nil] }
    return [
      node.needs[0] ? dy : nil, node.needs[1] ? broadcast.reduce(dy, to: b.shape) : nil,
    ]
  }
}

/// The product a · b; see `Broadcast` for the shapes.
struct Mul: BroadcastOperation {
  let broadcast: Broadcast

  var code: OperationCode { .mul }

  /// da = dy·b, db = Σ dy·a.
  func vjp(_ node: VJPNode) -> [Value?] {
    guard let dy = node.cotangents[0], let a = node.inputs[0], let b = node.inputs[1] else {
      return [nil, nil]
    }
    return [
      node.needs[0] ? dy.graph.apply(self, [dy, b]) : nil,
      node.needs[1] ? broadcast.reduce(dy * a, to: b.shape) : nil,
    ]
  }
}

/// The affine map factor·x + offset with constants.
struct Scale: Operation {
  let factor: Double
  var offset = 0.0

  var code: OperationCode { .scale }
  var floats: [Double] { [factor, offset] }
  var inPlaceInputs: [Int] { [0] }

  func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    [try input(inputs, 0)]
  }

  func vjp(_ node: VJPNode) -> [Value?] {
    guard let dy = node.cotangents[0], node.needs[0] else { return [nil] }
    return [dy.graph.apply(Scale(factor: factor), [dy])]
  }
}
