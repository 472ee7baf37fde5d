import EspalierTensors

/// The operations of the plugin boundary, by the numbers of its header (`ESP_OP_…`).
public enum OperationCode: Int32, Sendable, CaseIterable {
  case linear = 1
  case linearDX, linearDW, conv2d, conv2dDX, conv2dDW, sumTo, groupNorm, groupNormBackward,
    layerNorm
  case layerNormBackward, attention, attentionBackward, geglu, gegluBackward, unary, unaryBackward
  case add, mul, scale, concat, slice, upsampleNearest, upsampleNearestBackward, avgPool2d
  case avgPool2dBackward, pixelUnshuffle, cast, embedding, gatherRows, weightedMSE
  case weightedMSEBackward, sumSquares, adamW
}

/// Elementwise functions that an operation may apply to its result (`ESP_ACT_…`).
public enum Activation: Int64, Sendable {
  case none = 0
  case silu, relu, gelu, quickGelu, sigmoid
}

/// One kind of node: its shape rule, its derivative, and how it is written for a backend.
public protocol Operation: Sendable {
  var code: OperationCode { get }
  /// The integer attributes, in the header's order.
  var integers: [Int64] { get }
  /// The floating attributes, in the header's order.
  var floats: [Double] { get }
  /// The shapes and types of all outputs. An absent optional input is `nil`.
  func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec]
  /// Inputs whose place the first output may take when this is their last use.
  var inPlaceInputs: [Int] { get }
  /// The cotangents of the inputs; `nil` where none is needed or the input is not differentiable.
  func vjp(_ node: VJPNode) -> [Value?]
}

extension Operation {
  public var integers: [Int64] { [] }
  public var floats: [Double] { [] }
  public var inPlaceInputs: [Int] { [] }
  /// By default an operation has no derivative; backward operations are not differentiated again.
  public func vjp(_ node: VJPNode) -> [Value?] {
    [Value?](repeating: nil, count: node.inputs.count)
  }
}

/// A forward node as its derivative rule sees it.
public struct VJPNode {
  /// The inputs; `nil` where an optional one is absent.
  public let inputs: [Value?]
  public let outputs: [Value]
  /// One per output; `nil` where nothing depends on it.
  public let cotangents: [Value?]
  /// Which inputs need a cotangent.
  public let needs: [Bool]
}

extension Operation {
  /// Throws unless the condition holds; keeps shape rules one line each.
  func require(_ condition: Bool, _ reason: @autoclosure () -> String) throws(ShapeError) {
    if !condition { throw ShapeError(reason()) }
  }

  /// A required input's spec.
  func input(_ inputs: [TensorSpec?], _ index: Int) throws(ShapeError) -> TensorSpec {
    guard index < inputs.count, let spec = inputs[index] else {
      throw ShapeError("input \(index) is missing")
    }
    return spec
  }
}
