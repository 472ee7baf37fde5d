import EspalierABI
import VulkanShaders

/// dy, x, mean, rstd, gamma, residual? → dx?, dgamma?, dbeta?.
struct LayerNormBackwardLowering: Lowering {
  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let dy = node.input(0), let x = node.input(1), let mean = node.input(2),
      let rstd = node.input(3), let gamma = node.input(4)
    else { return "dy, x, mean, rstd or gamma is missing" }
    let maps = [dy, x, node.input(5), node.output(0)]
    guard maps.allSatisfy({ $0 == nil || $0?.dims == x.dims }) else {
      return "dy, x, residual and dx differ in shape"
    }
    let rows = x.elementCount / x.lastDim
    guard RowTiling(rows: rows, width: x.lastDim, limits: limits) != nil else {
      return "rows of \(x.lastDim) elements are too long"
    }
    return parameterObjection([gamma], channels: x.lastDim)
      ?? vectorObjection([mean, rstd], count: rows)
      ?? vectorObjection([node.output(1), node.output(2)], count: x.lastDim)
      ?? storageObjection(maps, on: limits)
  }

  func inPlaceInputs(of node: NodeView) -> UInt32 {
    // The sums for the gradients of parameters run first.
    1 | 2 | 1 << 5
  }

  func workspaceBytes(of node: NodeView, on limits: DeviceLimits) -> UInt64 {
    var scratch = Scratch()
    _ = parameterSums(node, &scratch, limits)
    return scratch.byteCount
  }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let dy = node.input(0), let x = node.input(1), let mean = node.input(2),
      let rstd = node.input(3)
    else { return [] }
    var scratch = Scratch()
    var all: [Dispatch] = []
    if let sums = parameterSums(node, &scratch, limits) {
      all.append(sums.dispatch(dy: dy, x: x, mean: mean, rstd: rstd, statistics: .rows))
      all += sums.gradients(gamma: node.output(1), beta: node.output(2))
    }
    if let dx = node.output(0), let last = inputGradient(node, dx, limits) { all.append(last) }
    return all
  }

  /// Nil where no gradient of a parameter is wanted.
  private func parameterSums(
    _ node: NodeView, _ scratch: inout Scratch, _ limits: DeviceLimits
  ) -> ParameterSums? {
    guard let x = node.input(1), node.output(1) != nil || node.output(2) != nil else { return nil }
    let tiling = MapTiling(
      samples: 1, pixels: x.elementCount / x.lastDim, channels: x.lastDim, pixelRange: 8...128,
      limits: limits)
    return ParameterSums(tiling, scratch: &scratch, limits: limits)
  }

  private func inputGradient(
    _ node: NodeView, _ dx: Operand, _ limits: DeviceLimits
  ) -> Dispatch? {
    guard let gamma = node.input(4),
      let tiling = RowTiling(
        rows: dx.elementCount / dx.lastDim, width: dx.lastDim, limits: limits)
    else { return nil }
    var push = PushConstants()
    for k in 0..<6 { push.read(node.input(k)) }
    push.write(dx)
    tiling.append(to: &push)
    return Dispatch(
      shader: ShaderVariant(
        "layer_norm_backward", ["ACT": dx.storageVariant, "SUBGROUP": limits.subgroupVariant]),
      constants: tiling.constants + [UInt32(gamma.dtype), node.input(5) == nil ? 0 : 1],
      push: push, groups: limits.grid(tiling.workgroups), work: Double(3 * dx.elementCount))
  }
}
