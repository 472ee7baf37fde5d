/// x[B,H,W,C] → nearest neighbour [B,H2,W2,C].
struct UpsampleNearestLowering: Lowering {
  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let x = node.input(0), let y = node.output(0) else { return "x or y is missing" }
    return mapsObjection(x, y, on: limits)
  }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let x = node.input(0), let y = node.output(0) else { return [] }
    let unit = MoveUnit(dividing: [x.lastDim], of: x)
    return [
      Dispatch(
        unit.variant("upsample_nearest", on: limits), from: x, to: y, share: unit.count,
        sides: x.dims[1...2] + y.dims[1...2], on: limits)
    ]
  }
}

/// dy[B,H2,W2,C] → dx[B,H,W,C].
struct UpsampleNearestBackwardLowering: Lowering {
  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let dy = node.input(0), let dx = node.output(0) else { return "dy or dx is missing" }
    return mapsObjection(dy, dx, on: limits)
  }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let dy = node.input(0), let dx = node.output(0) else { return [] }
    return [
      Dispatch(
        lanes: "upsample_nearest_backward", from: dy, to: dx,
        sides: dx.dims[1...2] + dy.dims[1...2], on: limits)
    ]
  }
}
