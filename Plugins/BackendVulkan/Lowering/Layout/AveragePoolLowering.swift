/// x[B,H,W,C] → 2×2 mean, stride 2, sides rounded up.
struct AveragePoolLowering: Lowering {
  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let x = node.input(0), let y = node.output(0) else { return "x or y is missing" }
    return mapsObjection(x, y, on: limits) ?? sidesObjection(large: x, small: y)
  }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let x = node.input(0), let y = node.output(0) else { return [] }
    return [Dispatch(lanes: "avg_pool2d", from: x, to: y, sides: x.dims[1...2], on: limits)]
  }
}

/// dy → dx[B,H,W,C].
struct AveragePoolBackwardLowering: Lowering {
  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let dy = node.input(0), let dx = node.output(0) else { return "dy or dx is missing" }
    return mapsObjection(dy, dx, on: limits) ?? sidesObjection(large: dx, small: dy)
  }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let dy = node.input(0), let dx = node.output(0) else { return [] }
    return [
      Dispatch(lanes: "avg_pool2d_backward", from: dy, to: dx, sides: dx.dims[1...2], on: limits)
    ]
  }
}

private func sidesObjection(large: Operand, small: Operand) -> String? {
  (1...2).allSatisfy { small.dims[$0] == (large.dims[$0] + 1) / 2 }
    ? nil : "the small side is not half the large one, rounded up"
}
