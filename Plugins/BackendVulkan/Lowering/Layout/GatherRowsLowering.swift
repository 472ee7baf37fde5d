import EspalierABI

/// x[B,L,D], index i32[B] → [B,D]; NaN for an index outside 0 ..< L.
struct GatherRowsLowering: Lowering {
  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let x = node.input(0), let index = node.input(1), let y = node.output(0) else {
      return "x, index or y is missing"
    }
    guard index.dtype == ESP_DTYPE_I32 else { return "the index is not i32" }
    guard x.dims.count == 3, index.elementCount == x.dims[0] else {
      return "not x[B,L,D] with index[B]"
    }
    guard y.elementCount == x.dims[0] * x.dims[2], y.lastDim == x.dims[2] else {
      return "the output is not [B,D]"
    }
    return storageObjection([x, y], on: limits)
  }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let x = node.input(0), let index = node.input(1), let y = node.output(0) else {
      return []
    }
    let unit = MoveUnit(dividing: [x.lastDim], of: x)
    let count = unit.count(y.elementCount)
    var push = PushConstants()
    push.source(x, on: limits)
    push.source(index, on: limits)
    push.write(y)
    push.uint(count)
    push.uint(x.dims[1])
    push.uint(unit.count(x.lastDim))
    push.divisor(unit.count(x.lastDim))
    push.uint(x.dtype == ESP_DTYPE_F16 ? 0x7e00_7e00 : 0x7fc0_0000)
    return [
      Dispatch(
        unit.variant("gather_rows", on: limits), covering: count, push: push,
        work: 2 * y.region.byteCount,
        on: limits)
    ]
  }
}
