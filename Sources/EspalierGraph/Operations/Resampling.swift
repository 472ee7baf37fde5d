import EspalierTensors

/// Nearest-neighbour resizing of a feature map; the source index is `floor(i·H/H2)`.
struct UpsampleNearest: Operation {
  let height: Int
  let width: Int

  var code: OperationCode { .upsampleNearest }

  func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    let x = try input(inputs, 0)
    try require(x.shape.rank == 4, "x needs 4 axes [B, H, W, C]")
    try require(height >= x.shape[1] && width >= x.shape[2], "the target is smaller than the map")
    return [TensorSpec(x.dtype, [x.shape[0], height, width, x.shape[3]])]
  }

  /// Every source pixel gets the sum over its copies.
  func vjp(_ node: VJPNode) -> [Value?] {
    guard let dy = node.cotangents[0], let x = node.inputs[0], node.needs[0] else { return [nil] }
    return [dy.graph.apply(UpsampleNearestBackward(x: x.shape), [dy])]
  }
}

/// The gradient of `UpsampleNearest`: dy `[B, H2, W2, C]` → `[B, H, W, C]`.
struct UpsampleNearestBackward: Operation {
  let x: Shape

  var code: OperationCode { .upsampleNearestBackward }

  func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    [TensorSpec(try input(inputs, 0).dtype, x)]
  }
}

/// Mean over 2×2 windows with stride 2, sides rounded up; border windows average what they cover.
///
/// Source: PyTorch `AvgPool2d(2, 2, ceil_mode=True)`.
struct AvgPool2d: Operation {
  var code: OperationCode { .avgPool2d }

  func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    let x = try input(inputs, 0)
    try require(x.shape.rank == 4, "x needs 4 axes [B, H, W, C]")
    let (height, width) = ((x.shape[1] + 1) / 2, (x.shape[2] + 1) / 2)
    return [TensorSpec(x.dtype, [x.shape[0], height, width, x.shape[3]])]
  }

  /// Every covered pixel gets its share of the window's cotangent.
  func vjp(_ node: VJPNode) -> [Value?] {
    guard let dy = node.cotangents[0], let x = node.inputs[0], node.needs[0] else { return [nil] }
    return [dy.graph.apply(AvgPool2dBackward(x: x.shape), [dy])]
  }
}

/// The gradient of `AvgPool2d`: dy → `[B, H, W, C]`.
struct AvgPool2dBackward: Operation {
  let x: Shape

  var code: OperationCode { .avgPool2dBackward }

  func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    [TensorSpec(try input(inputs, 0).dtype, x)]
  }
}

/// Blocks of r×r pixels become channels, in PyTorch's order `c·r² + dy·r + dx`.
///
/// x `[B, H, W, C]` → `[B, H/r, W/r, C·r²]`. Only images enter it, so it has no derivative.
struct PixelUnshuffle: Operation {
  let factor: Int

  var code: OperationCode { .pixelUnshuffle }
  var integers: [Int64] { [Int64(factor)] }

  func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    let x = try input(inputs, 0)
    try require(x.shape.rank == 4, "x needs 4 axes [B, H, W, C]")
    try require(
      x.shape[1] % factor == 0 && x.shape[2] % factor == 0,
      "the sides \(x.shape[1])×\(x.shape[2]) are not multiples of \(factor)")
    return [
      TensorSpec(
        x.dtype,
        [x.shape[0], x.shape[1] / factor, x.shape[2] / factor, x.shape[3] * factor * factor])
    ]
  }
}
