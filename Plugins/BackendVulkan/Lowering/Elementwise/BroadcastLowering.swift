import EspalierABI
import VulkanShaders

/// a, b → a + b or a · b, b repeated over a.
struct BroadcastLowering: Lowering {
  let multiplies: Bool

  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let a = node.input(0), let b = node.input(1), let y = node.output(0) else {
      return "a, b or y is missing"
    }
    guard a.elementCount == y.elementCount else { return "a and y differ in size" }
    guard plan(of: node) != nil else { return "b does not repeat over a" }
    return storageObjection([a, y], on: limits) ?? weightObjection([b])
  }

  func inPlaceInputs(of node: NodeView) -> UInt32 {
    guard let a = node.input(0), let b = node.input(1) else { return 0 }
    return b.dtype == a.dtype && b.elementCount == a.elementCount ? 1 | 2 : 1
  }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let a = node.input(0), let b = node.input(1), let y = node.output(0),
      let plan = plan(of: node)
    else { return [] }
    let lanes = Lanes(rowLength: plan.rowLength)
    let count = a.elementCount / lanes.count
    let maxAxes = Int(ESP_MAX_RANK) - 1
    var push = PushConstants()
    push.source(a, on: limits)
    push.source(b, on: limits)
    push.write(y)
    push.uint(count)
    push.uint(plan.rowLength / lanes.count)
    push.divisor(plan.rowLength / lanes.count)
    for axis in 0..<maxAxes { push.uint(axis < plan.sizes.count ? plan.sizes[axis] : 1) }
    for axis in 0..<maxAxes { push.divisor(axis < plan.sizes.count ? plan.sizes[axis] : 1) }
    for axis in 0..<maxAxes { push.uint(axis < plan.steps.count ? plan.steps[axis] : 0) }
    return [
      Dispatch(
        ShaderVariant("broadcast", ["ACT": a.storageVariant, "FETCH": limits.fetchVariant]),
        covering: count,
        constants: [
          lanes.constant, multiplies ? 1 : 0, UInt32(b.dtype), plan.hasRow ? 1 : 0,
          UInt32(plan.sizes.count),
        ],
        push: push, work: 2 * a.region.byteCount + b.region.byteCount, on: limits)
    ]
  }

  private func plan(of node: NodeView) -> BroadcastPlan? {
    guard let a = node.input(0), let b = node.input(1) else { return nil }
    return BroadcastPlan(over: a.dims, of: b.dims, mode: node.integers[0])
  }
}
