import EspalierABI
import VulkanShaders

/// ids i32[B,L], table[V,D] → [B,L,D]; NaN for an id outside the table.
struct EmbeddingLowering: Lowering {
  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let ids = node.input(0), let table = node.input(1), let y = node.output(0) else {
      return "ids, table or y is missing"
    }
    guard ids.dtype == ESP_DTYPE_I32 else { return "the ids are not i32" }
    guard table.dims.count == 2 else { return "the table is not [V,D]" }
    guard !y.dims.isEmpty, y.lastDim == table.lastDim,
      y.elementCount == ids.elementCount * table.lastDim
    else { return "the output does not have one row of the table per id" }
    return weightObjection([table]) ?? storageObjection([y], on: limits)
  }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let ids = node.input(0), let table = node.input(1), let y = node.output(0) else {
      return []
    }
    let lanes = Lanes(rowLength: table.lastDim)
    let count = y.elementCount / lanes.count
    var push = PushConstants()
    push.source(ids, on: limits)
    push.source(table, on: limits)
    push.write(y)
    push.uint(count)
    push.uint(table.lastDim / lanes.count)
    push.uint(table.firstDim)
    push.divisor(table.lastDim / lanes.count)
    return [
      Dispatch(
        ShaderVariant("embedding", ["ACT": y.storageVariant, "FETCH": limits.fetchVariant]),
        covering: count,
        constants: [lanes.constant, UInt32(table.dtype)], push: push,
        work: 2 * y.region.byteCount, on: limits)
    ]
  }
}
