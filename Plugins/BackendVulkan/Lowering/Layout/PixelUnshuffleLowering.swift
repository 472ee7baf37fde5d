import EspalierABI

/// x[B,H,W,C] → [B,H/r,W/r,C·r²]; output channel c·r² + dy·r + dx.
struct PixelUnshuffleLowering: Lowering {
  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let x = node.input(0), let y = node.output(0) else { return "x or y is missing" }
    guard x.dims.count == 4, y.dims.count == 4 else { return "its operands are not [B,H,W,C]" }
    let r = node.integers[0]
    guard (1...min(x.dims[1], x.dims[2])).contains(r), x.dims[1].isMultiple(of: r),
      x.dims[2].isMultiple(of: r)
    else { return "r does not divide height and width" }
    guard y.dims == [x.dims[0], x.dims[1] / r, x.dims[2] / r, x.dims[3] * r * r] else {
      return "the output is not [B,H/r,W/r,C·r²]"
    }
    return storageObjection([x, y], on: limits)
  }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let x = node.input(0), let y = node.output(0) else { return [] }
    let unit = MoveUnit(dividing: [1], of: x)
    var push = PushConstants()
    push.source(x, on: limits)
    push.write(y)
    push.uint(y.elementCount)
    push.uint(y.dims[2])
    push.divisor(y.dims[2])
    return [
      Dispatch(
        unit.variant("pixel_unshuffle", on: limits), covering: y.elementCount,
        constants: [UInt32(node.integers[0]), UInt32(x.dims[3])], push: push,
        work: 2 * y.region.byteCount, on: limits)
    ]
  }
}
