import EspalierTensors

/// The sum of the squares of all elements of all inputs, `[1]`; not finite if any element is not.
public struct SumSquares: Operation {
  public init() {}
  public var code: OperationCode { .sumSquares }

  public func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    try require(!inputs.isEmpty, "there is nothing to sum")
    return [TensorSpec(.float32, [1])]
  }
}

/// One AdamW step over many tensors.
///
/// Inputs: scalars `[16]` (see `ESP_OP_ADAMW` in the boundary header), then parameter, gradient, first and
/// second moment of each tensor. Outputs: new parameter and moments of each; `assign` them to their states.
/// Source: Loshchilov & Hutter 2019; PyTorch `torch.optim.AdamW`.
public struct AdamW: Operation {
  public init() {}
  public var code: OperationCode { .adamW }

  public func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    try require(try input(inputs, 0).shape == [16], "there must be 16 scalars")
    try require(inputs.count % 4 == 1, "each tensor needs parameter, gradient and two moments")
    var specs: [TensorSpec] = []
    for first in stride(from: 1, to: inputs.count, by: 4) {
      let p = try input(inputs, first)
      for k in 1..<4 {
        let other = try input(inputs, first + k)
        try require(other.shape == p.shape, "gradient or moment differ in shape from the parameter")
      }
      specs += [p, p, p]
    }
    return specs
  }
}
