import EspalierABI

/// x[…,C] → x[…, i[0] ..< i[0]+Cout].
struct SliceLowering: Lowering {
  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let x = node.input(0), let y = node.output(0) else { return "x or y is missing" }
    guard !x.dims.isEmpty, x.dims.dropLast() == y.dims.dropLast(), !y.dims.isEmpty else {
      return "x and y differ in leading axes"
    }
    guard y.lastDim <= x.lastDim, (0...x.lastDim - y.lastDim).contains(node.integers[0]) else {
      return "the slice is not inside the axis"
    }
    return storageObjection([x, y], on: limits)
  }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let x = node.input(0), let y = node.output(0) else { return [] }
    let first = node.integers[0]
    let unit = MoveUnit(dividing: [x.lastDim, y.lastDim, first], of: y)
    let count = unit.count(y.elementCount)
    var push = PushConstants()
    push.source(x, on: limits)
    push.write(y)
    push.uint(count)
    push.uint(unit.count(x.lastDim))
    push.uint(unit.count(y.lastDim))
    push.uint(unit.count(first))
    push.divisor(unit.count(y.lastDim))
    return [
      Dispatch(
        unit.variant("slice", on: limits), covering: count, push: push,
        work: 2 * y.region.byteCount,
        on: limits)
    ]
  }
}
