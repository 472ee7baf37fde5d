import EspalierABI
import VulkanShaders

/// x → act(x).
struct UnaryLowering: Lowering {
  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let x = node.input(0), let y = node.output(0) else { return "x or y is missing" }
    guard x.elementCount == y.elementCount else { return "x and y differ in size" }
    return activationObjection(node.integers[0]) ?? storageObjection([x, y], on: limits)
  }

  func inPlaceInputs(of node: NodeView) -> UInt32 { 1 }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let x = node.input(0), let y = node.output(0) else { return [] }
    let lanes = Lanes(rowLength: x.elementCount)
    let count = x.elementCount / lanes.count
    var push = PushConstants()
    push.source(x, on: limits)
    push.write(y)
    push.uint(count)
    return [
      Dispatch(
        ShaderVariant("unary", ["ACT": x.storageVariant, "FETCH": limits.fetchVariant]),
        covering: count,
        constants: [lanes.constant, UInt32(node.integers[0])], push: push,
        work: 2 * x.region.byteCount, on: limits)
    ]
  }
}
