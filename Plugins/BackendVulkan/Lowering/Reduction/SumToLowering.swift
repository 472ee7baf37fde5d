import EspalierABI

/// x → its sum over the axes that the output lacks.
struct SumToLowering: Lowering {
  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let x = node.input(0), let y = node.output(0) else { return "x or y is missing" }
    guard keptAxes(of: x, in: y, mode: node.integers[0]) != nil else {
      return "the output's shape does not fit x"
    }
    return storageObjection([x], on: limits) ?? storageObjection([y], on: limits)
  }

  func workspaceBytes(of node: NodeView, on limits: DeviceLimits) -> UInt64 {
    guard let summation = summation(node, limits) else { return 0 }
    var scratch = Scratch()
    _ = scratch.floats(summation.partialCount)
    return scratch.byteCount
  }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let x = node.input(0), let y = node.output(0), let summation = summation(node, limits)
    else { return [] }
    var scratch = Scratch()
    return summation.dispatches(
      from: (x.region, isHalf: x.dtype == ESP_DTYPE_F16),
      to: (y.region, isHalf: y.dtype == ESP_DTYPE_F16),
      scratch: scratch.floats(summation.partialCount))
  }

  private func summation(_ node: NodeView, _ limits: DeviceLimits) -> Summation? {
    guard let x = node.input(0), let y = node.output(0),
      let kept = keptAxes(of: x, in: y, mode: node.integers[0])
    else { return nil }
    return Summation(dims: x.dims, kept: kept, limits: limits)
  }

  /// Whether y has each axis of x, or nil where the shapes do not fit.
  private func keptAxes(of x: Operand, in y: Operand, mode: Int) -> [Bool]? {
    let missing = x.dims.count - y.dims.count
    switch mode {
    case 0 where missing >= 0:
      let aligned = Array(repeating: 1, count: missing) + y.dims
      guard zip(x.dims, aligned).allSatisfy({ $0 == $1 || $1 == 1 }) else { return nil }
      return zip(x.dims, aligned).map { $0 == $1 }
    case 1 where x.dims.count >= 2:
      guard y.dims == [x.firstDim, x.lastDim] else { return nil }
      return x.dims.indices.map { $0 == 0 || $0 == x.dims.count - 1 }
    default: return nil
    }
  }
}
