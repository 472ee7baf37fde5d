import EspalierABI
import VulkanShaders

/// x[…,C] → (x − mean)·rstd·gamma + beta, with mean and rstd of each row where wanted.
struct LayerNormLowering: Lowering {
  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let x = node.input(0), let gamma = node.input(1), let beta = node.input(2),
      let y = node.output(0)
    else { return "x, gamma, beta or y is missing" }
    guard y.dims == x.dims else { return "x and y differ in shape" }
    let rows = x.elementCount / x.lastDim
    guard RowTiling(rows: rows, width: x.lastDim, limits: limits) != nil else {
      return "rows of \(x.lastDim) elements are too long"
    }
    return parameterObjection([gamma, beta], channels: x.lastDim)
      ?? vectorObjection([node.output(1), node.output(2)], count: rows)
      ?? storageObjection([x, y], on: limits)
  }

  func inPlaceInputs(of node: NodeView) -> UInt32 { 1 }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let x = node.input(0), let gamma = node.input(1), let y = node.output(0),
      let tiling = RowTiling(
        rows: x.elementCount / x.lastDim, width: x.lastDim, limits: limits)
    else { return [] }
    var push = PushConstants()
    push.read(x)
    push.read(gamma)
    push.read(node.input(2))
    push.write(y)
    push.write(node.output(1))
    push.write(node.output(2))
    tiling.append(to: &push)
    push.float(node.floats[0])
    let flags: [UInt32] = [node.output(1) == nil ? 0 : 1, node.output(2) == nil ? 0 : 1]
    return [
      Dispatch(
        shader: ShaderVariant(
          "layer_norm", ["ACT": x.storageVariant, "SUBGROUP": limits.subgroupVariant]),
        constants: tiling.constants + [UInt32(gamma.dtype)] + flags, push: push,
        groups: limits.grid(tiling.workgroups), work: Double(2 * x.elementCount))
    ]
  }
}
