import EspalierABI
import VulkanShaders

/// x[B,…,C] → act(norm(x)·gamma + beta): partial statistics, statistics of groups, then one pass over x.
struct GroupNormLowering: Lowering {
  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let x = node.input(0), let gamma = node.input(1), let beta = node.input(2),
      let y = node.output(0)
    else { return "x, gamma, beta or y is missing" }
    guard let shape = GroupNormShape(of: x, groups: node.integers[1]) else {
      return "the channels do not divide into \(node.integers[1]) groups"
    }
    guard y.dims == x.dims else { return "x and y differ in shape" }
    return parameterObjection([gamma, beta], channels: shape.channels)
      ?? vectorObjection([node.output(1), node.output(2)], count: shape.statisticCount)
      ?? activationObjection(node.integers[0]) ?? storageObjection([x, y], on: limits)
  }

  func inPlaceInputs(of node: NodeView) -> UInt32 { 1 }

  func workspaceBytes(of node: NodeView, on limits: DeviceLimits) -> UInt64 {
    plan(node, limits)?.workspaceBytes ?? 0
  }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let plan = plan(node, limits) else { return [] }
    return [plan.statistics(), plan.finish(node.floats[0], limits), plan.apply(node, limits)]
      .compactMap { $0 }
  }

  private func plan(_ node: NodeView, _ limits: DeviceLimits) -> GroupNormPlan? {
    guard let x = node.input(0), let shape = GroupNormShape(of: x, groups: node.integers[1])
    else { return nil }
    return GroupNormPlan(
      x: x, shape: shape, mean: node.output(1), rstd: node.output(2), limits: limits)
  }
}

/// The sizes and the scratch of one group norm.
private struct GroupNormPlan {
  let x: Operand
  let shape: GroupNormShape
  let tiling: MapTiling
  let means: Region
  let squares: Region
  let mean: Region
  let rstd: Region
  let workspaceBytes: UInt64
  private let limits: DeviceLimits

  init(x: Operand, shape: GroupNormShape, mean: Operand?, rstd: Operand?, limits: DeviceLimits) {
    self.x = x
    self.shape = shape
    self.limits = limits
    tiling = shape.tiling(8...256, on: limits)
    var scratch = Scratch()
    means = scratch.floats(tiling.partialCount)
    squares = scratch.floats(tiling.partialCount)
    self.mean = mean?.region ?? scratch.floats(shape.statisticCount)
    self.rstd = rstd?.region ?? scratch.floats(shape.statisticCount)
    workspaceBytes = scratch.byteCount
  }

  func statistics() -> Dispatch {
    let isFetched = limits.fetches([x], byFours: tiling.isWide)
    var push = PushConstants()
    push.source(x.region, isFetched: isFetched)
    push.write(means)
    push.write(squares)
    tiling.append(to: &push)
    return Dispatch(
      shader: ShaderVariant(
        "group_norm_statistics", ["ACT": x.storageVariant, "FETCH": isFetched ? 1 : 0]),
      constants: tiling.constants, push: push, groups: limits.grid(tiling.workgroups),
      work: Double(x.elementCount))
  }

  func finish(_ epsilon: Double, _ limits: DeviceLimits) -> Dispatch {
    var push = PushConstants()
    for region in [x.region, means, squares] { push.read(region) }
    for region in [mean, rstd] { push.write(region) }
    for size in [shape.samples, shape.pixels, shape.channels, tiling.block, shape.groups] {
      push.uint(size)
    }
    push.float(epsilon)
    let entries = tiling.blocks * shape.channels / shape.groups
    let size = min(limits.reductionGroupSize, entries.nextPowerOfTwo)
    return Dispatch(
      shader: ShaderVariant(
        "group_norm_finish", ["ACT": x.storageVariant, "SUBGROUP": limits.subgroupVariant]),
      constants: [UInt32(size), 1, 1], push: push, groups: limits.grid(shape.statisticCount),
      work: Double(4 * tiling.partialCount))
  }

  func apply(_ node: NodeView, _ limits: DeviceLimits) -> Dispatch? {
    guard let gamma = node.input(1), let beta = node.input(2), let y = node.output(0)
    else { return nil }
    let tiling = shape.tiling(4...32, on: limits)
    var push = PushConstants()
    push.read(x)
    push.write(y)
    for region in [mean, rstd, gamma.region, beta.region] { push.read(region) }
    tiling.append(to: &push)
    push.uint(shape.groups)
    return Dispatch(
      shader: ShaderVariant("group_norm_apply", ["ACT": x.storageVariant]),
      constants: tiling.constants + [UInt32(node.integers[0]), UInt32(gamma.dtype)], push: push,
      groups: limits.grid(tiling.workgroups), work: Double(2 * x.elementCount))
  }
}
