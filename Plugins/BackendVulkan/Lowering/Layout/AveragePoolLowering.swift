import EspalierABI
import VulkanShaders

/// x[B,H,W,C] → 2×2 mean, stride 2, sides rounded up.
struct AveragePoolLowering: Lowering {
  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let x = node.input(0), let y = node.output(0) else { return "x or y is missing" }
    return mapsObjection(x, y, on: limits) ?? sidesObjection(large: x, small: y)
  }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let x = node.input(0), let y = node.output(0) else { return [] }
    return [pool("avg_pool2d", from: x, to: y, large: x, on: limits)]
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
    return [pool("avg_pool2d_backward", from: dy, to: dx, large: dx, on: limits)]
  }
}

private func sidesObjection(large: Operand, small: Operand) -> String? {
  (1...2).allSatisfy { small.dims[$0] == (large.dims[$0] + 1) / 2 }
    ? nil : "the small side is not half the large one, rounded up"
}

private func pool(
  _ name: String, from source: Operand, to target: Operand, large: Operand,
  on limits: DeviceLimits
) -> Dispatch {
  let lanes = Lanes(rowLength: target.lastDim)
  let count = target.elementCount / lanes.count
  var push = PushConstants()
  push.source(source, on: limits)
  push.write(target)
  push.uint(count)
  push.uint(target.lastDim / lanes.count)
  push.uint(large.dims[1])
  push.uint(large.dims[2])
  push.divisor(target.lastDim / lanes.count)
  push.divisor(target.dims[1])
  push.divisor(target.dims[2])
  return Dispatch(
    ShaderVariant(name, ["ACT": target.storageVariant, "FETCH": limits.fetchVariant]),
    covering: count,
    constants: [lanes.constant], push: push,
    work: source.region.byteCount + target.region.byteCount, on: limits)
}
