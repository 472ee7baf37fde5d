import EspalierABI
import VulkanShaders

/// x[B,H,W,C] → nearest neighbour [B,H2,W2,C].
struct UpsampleNearestLowering: Lowering {
  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let x = node.input(0), let y = node.output(0) else { return "x or y is missing" }
    return mapsObjection(x, y, on: limits)
  }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let x = node.input(0), let y = node.output(0) else { return [] }
    let unit = MoveUnit(dividing: [x.lastDim], of: x)
    let count = unit.count(y.elementCount)
    var push = PushConstants()
    push.source(x, on: limits)
    push.write(y)
    push.uint(count)
    push.uint(unit.count(x.lastDim))
    push.uint(x.dims[1])
    push.uint(x.dims[2])
    push.uint(y.dims[1])
    push.uint(y.dims[2])
    push.divisor(unit.count(x.lastDim))
    push.divisor(y.dims[1])
    push.divisor(y.dims[2])
    return [
      Dispatch(
        unit.variant("upsample_nearest", on: limits), covering: count, push: push,
        work: x.region.byteCount + y.region.byteCount, on: limits)
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
    let lanes = Lanes(rowLength: dx.lastDim)
    let count = dx.elementCount / lanes.count
    var push = PushConstants()
    push.source(dy, on: limits)
    push.write(dx)
    push.uint(count)
    push.uint(dx.lastDim / lanes.count)
    push.uint(dx.dims[1])
    push.uint(dx.dims[2])
    push.uint(dy.dims[1])
    push.uint(dy.dims[2])
    push.divisor(dx.lastDim / lanes.count)
    push.divisor(dx.dims[1])
    push.divisor(dx.dims[2])
    return [
      Dispatch(
        ShaderVariant(
          "upsample_nearest_backward", ["ACT": dx.storageVariant, "FETCH": limits.fetchVariant]),
        covering: count,
        constants: [lanes.constant], push: push,
        work: dx.region.byteCount + dy.region.byteCount, on: limits)
    ]
  }
}

/// Why two maps are not [B,H,W,C] that differ in height and width only, or nil.
func mapsObjection(_ x: Operand, _ y: Operand, on limits: DeviceLimits) -> String? {
  guard x.dims.count == 4, y.dims.count == 4 else { return "its operands are not [B,H,W,C]" }
  guard x.dims[0] == y.dims[0], x.dims[3] == y.dims[3] else {
    return "its operands differ in batch or channels"
  }
  // Shaders multiply a side of one map with a side of the other, and divide that.
  guard (x.dims[1...2] + y.dims[1...2]).allSatisfy({ $0 < 1 << 15 }) else {
    return "a side of a map is longer than 32767"
  }
  return storageObjection([x, y], on: limits)
}
