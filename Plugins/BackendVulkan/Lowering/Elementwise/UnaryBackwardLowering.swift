import EspalierABI
import VulkanShaders

/// dy, x → dy · act'(x).
struct UnaryBackwardLowering: Lowering {
  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let dy = node.input(0), let x = node.input(1), let dx = node.output(0) else {
      return "dy, x or dx is missing"
    }
    guard dy.elementCount == x.elementCount, x.elementCount == dx.elementCount else {
      return "dy, x and dx differ in size"
    }
    return activationObjection(node.integers[0]) ?? storageObjection([dy, x, dx], on: limits)
  }

  func inPlaceInputs(of node: NodeView) -> UInt32 { 1 | 2 }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let dy = node.input(0), let x = node.input(1), let dx = node.output(0) else { return [] }
    let lanes = Lanes(rowLength: x.elementCount)
    let count = x.elementCount / lanes.count
    var push = PushConstants()
    push.source(dy, on: limits)
    push.source(x, on: limits)
    push.write(dx)
    push.uint(count)
    return [
      Dispatch(
        ShaderVariant("unary_backward", ["ACT": x.storageVariant, "FETCH": limits.fetchVariant]),
        covering: count,
        constants: [lanes.constant, UInt32(node.integers[0])], push: push,
        work: 3 * x.region.byteCount, on: limits)
    ]
  }
}
