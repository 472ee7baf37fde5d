import EspalierABI
import VulkanShaders

/// dy, x, mean, rstd, gamma, beta, residual? → dx?, dgamma?, dbeta?: sums over pixels for each channel,
/// means of groups, then one pass over dy and x.
struct GroupNormBackwardLowering: Lowering {
  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let job = GroupNormBackward(node) else {
      return "an operand is missing or the channels do not divide into \(node.integers[1]) groups"
    }
    guard
      [job.dy, node.input(6), node.output(0)].allSatisfy({ $0 == nil || $0?.dims == job.x.dims })
    else { return "dy, x, residual and dx differ in shape" }
    return parameterObjection([job.gamma, job.beta], channels: job.shape.channels)
      ?? vectorObjection([job.mean, job.rstd], count: job.shape.statisticCount)
      ?? vectorObjection([node.output(1), node.output(2)], count: job.shape.channels)
      ?? activationObjection(node.integers[0])
      ?? storageObjection([job.dy, job.x, node.input(6), node.output(0)], on: limits)
  }

  func inPlaceInputs(of node: NodeView) -> UInt32 { 1 | 2 | 1 << 6 }

  func workspaceBytes(of node: NodeView, on limits: DeviceLimits) -> UInt64 {
    GroupNormBackward(node)?.scratch(limits).byteCount ?? 0
  }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    GroupNormBackward(node)?.dispatches(limits) ?? []
  }
}

/// The operands and sizes of one backward pass.
private struct GroupNormBackward {
  let node: NodeView
  let dy: Operand
  let x: Operand
  let mean: Operand
  let rstd: Operand
  let gamma: Operand
  let beta: Operand
  let shape: GroupNormShape

  init?(_ node: NodeView) {
    guard let dy = node.input(0), let x = node.input(1), let mean = node.input(2),
      let rstd = node.input(3), let gamma = node.input(4), let beta = node.input(5),
      let shape = GroupNormShape(of: x, groups: node.integers[1])
    else { return nil }
    self.node = node
    self.dy = dy
    self.x = x
    self.mean = mean
    self.rstd = rstd
    self.gamma = gamma
    self.beta = beta
    self.shape = shape
  }

  /// What the passes hand on.
  struct Intermediates {
    let sums: ParameterSums
    /// [B,G] each: the means of dz·gamma and of dz·gamma·u.
    let groupMeans: [Region]
    let byteCount: UInt64
  }

  func scratch(_ limits: DeviceLimits) -> Intermediates {
    var scratch = Scratch()
    let sums = ParameterSums(shape.tiling(8...128, on: limits), scratch: &scratch, limits: limits)
    var means: [Region] = []
    for _ in 0..<2 { means.append(scratch.floats(shape.statisticCount)) }
    return Intermediates(sums: sums, groupMeans: means, byteCount: scratch.byteCount)
  }

  func dispatches(_ limits: DeviceLimits) -> [Dispatch] {
    let scratch = scratch(limits)
    let (dgamma, dbeta) = (node.output(1), node.output(2))
    var all: [Dispatch] = [
      scratch.sums.dispatch(
        dy: dy, x: x, mean: mean, rstd: rstd,
        statistics: .groups(shape.groups, act: node.integers[0], gamma: gamma, beta: beta))
    ]
    if node.output(0) != nil { all.append(finish(scratch, limits)) }
    all += scratch.sums.gradients(gamma: dgamma, beta: dbeta)
    if let dx = node.output(0) { all.append(apply(scratch, dx, limits)) }
    return all
  }

  private func finish(_ scratch: Intermediates, _ limits: DeviceLimits) -> Dispatch {
    let tiling = scratch.sums.tiling
    var push = PushConstants()
    for region in [scratch.sums.sums, scratch.sums.scaled, gamma.region] { push.read(region) }
    for region in scratch.groupMeans { push.write(region) }
    for size in [shape.samples, shape.pixels, shape.channels, tiling.blocks, shape.groups] {
      push.uint(size)
    }
    let entries = tiling.blocks * shape.channels / shape.groups
    let size = min(limits.reductionGroupSize, entries.nextPowerOfTwo)
    return Dispatch(
      shader: ShaderVariant(
        "group_norm_backward_finish", ["SUBGROUP": limits.subgroupVariant]),
      constants: [UInt32(size), 1, 1, UInt32(gamma.dtype)], push: push,
      groups: limits.grid(shape.statisticCount), work: Double(2 * tiling.partialCount))
  }

  private func apply(_ scratch: Intermediates, _ dx: Operand, _ limits: DeviceLimits) -> Dispatch {
    let tiling = shape.tiling(4...32, on: limits)
    let residual = node.input(6)
    var push = PushConstants()
    push.read(dy)
    push.read(x)
    push.read(residual)
    push.write(dx)
    for region in [mean.region, rstd.region] + scratch.groupMeans { push.read(region) }
    push.read(gamma)
    push.read(beta)
    tiling.append(to: &push)
    push.uint(shape.groups)
    return Dispatch(
      shader: ShaderVariant("group_norm_backward_apply", ["ACT": x.storageVariant]),
      constants: tiling.constants
        + [UInt32(node.integers[0]), UInt32(gamma.dtype), residual == nil ? 0 : 1],
      push: push, groups: limits.grid(tiling.workgroups), work: Double(3 * x.elementCount))
  }
}
