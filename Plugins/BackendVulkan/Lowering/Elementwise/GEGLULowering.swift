import EspalierABI
import VulkanShaders

/// x[…,2F] → x[…,:F] · gelu(x[…,F:]).
struct GEGLULowering: Lowering {
  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let x = node.input(0), let y = node.output(0) else { return "x or y is missing" }
    return gegluObjection(wide: x, narrow: y) ?? storageObjection([x, y], on: limits)
  }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let x = node.input(0), let y = node.output(0) else { return [] }
    let lanes = Lanes(rowLength: y.lastDim)
    let count = y.elementCount / lanes.count
    var push = PushConstants()
    push.source(x, on: limits)
    push.write(y)
    push.uint(count)
    push.uint(y.lastDim / lanes.count)
    push.divisor(y.lastDim / lanes.count)
    return [
      Dispatch(
        ShaderVariant("geglu", ["ACT": x.storageVariant, "FETCH": limits.fetchVariant]),
        covering: count,
        constants: [lanes.constant], push: push, work: 3 * y.region.byteCount, on: limits)
    ]
  }
}

/// dy[…,F], x[…,2F] → dx[…,2F].
struct GEGLUBackwardLowering: Lowering {
  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let dy = node.input(0), let x = node.input(1), let dx = node.output(0) else {
      return "dy, x or dx is missing"
    }
    guard x.elementCount == dx.elementCount else { return "x and dx differ in size" }
    return gegluObjection(wide: x, narrow: dy) ?? storageObjection([dy, x, dx], on: limits)
  }

  func inPlaceInputs(of node: NodeView) -> UInt32 { 2 }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let dy = node.input(0), let x = node.input(1), let dx = node.output(0) else { return [] }
    let lanes = Lanes(rowLength: dy.lastDim)
    let count = dy.elementCount / lanes.count
    var push = PushConstants()
    push.source(dy, on: limits)
    push.source(x, on: limits)
    push.write(dx)
    push.uint(count)
    push.uint(dy.lastDim / lanes.count)
    push.divisor(dy.lastDim / lanes.count)
    return [
      Dispatch(
        ShaderVariant("geglu_backward", ["ACT": x.storageVariant, "FETCH": limits.fetchVariant]),
        covering: count,
        constants: [lanes.constant], push: push, work: 5 * dy.region.byteCount, on: limits)
    ]
  }
}

private func gegluObjection(wide: Operand, narrow: Operand) -> String? {
  guard !wide.dims.isEmpty, !narrow.dims.isEmpty, wide.lastDim == 2 * narrow.lastDim else {
    return "the last axis of x is not 2F"
  }
  return wide.elementCount == 2 * narrow.elementCount ? nil : "its operands differ in rows"
}
