import VulkanShaders

/// dk and dv: workgroups take keys and walk over the queries.
struct AttentionKeyPass: Sendable {
  private let plan: AttentionBackward
  private let lanes: AttentionLanes?
  private let tiles: AttentionTiles
  /// Queries of one workgroup, and how many workgroups share them.
  private let span: Int
  private let parts: Int

  init(_ plan: AttentionBackward) {
    self.plan = plan
    let shape = plan.shape
    let wanted = [plan.node.output(1), plan.node.output(2)].count { $0 != nil }
    lanes = AttentionLanes(shape, dtype: plan.dtype, sumCount: wanted, on: plan.limits)
    tiles = AttentionTiles(
      shape, rowCount: shape.keys, columnCount: shape.queries, sumCount: wanted, on: plan.limits)
    // Few keys and many queries, as in cross attention: share the queries, at least four tiles each.
    let tileCount = (shape.queries + tiles.columns - 1) / tiles.columns
    let groups = tiles.groupCount(shape, rowCount: shape.keys)
    let shares = lanes != nil ? 1 : max(1, min(Self.wantedGroups / groups, tileCount / 4))
    span = (tileCount + shares - 1) / shares * tiles.columns
    parts = (shape.queries + span - 1) / span
  }

  private static let wantedGroups = 256

  /// Scratch for the parts of dk and dv.
  var partBytes: UInt64 { parts > 1 ? 2 * partRegion(0).byteCount : 0 }

  /// Parts of dk (0) or dv (1), f32 `[parts, batch, keys, heads·width]`.
  private func partRegion(_ index: Int) -> Region {
    let size = AttentionBackward.aligned(parts * plan.shape.keyCount * 4)
    return plan.node.workspace(
      at: plan.delta.byteCount + UInt64(index) * size, byteCount: size)
  }

  var dispatches: [Dispatch] {
    let wanted = (1...2).map { plan.node.output($0) == nil ? UInt32(0) : 1 }
    var push = plan.operands(forLanes: lanes != nil)
    for index in 0..<2 {
      if parts > 1, wanted[index] != 0 {
        push.write(partRegion(index))
      } else {
        push.write(plan.node.output(index + 1))
      }
    }
    push.sizes(of: plan.shape)
    if let lanes {
      push.uint(plan.shape.isCausal ? 1 : 0)
      push.float(plan.shape.scale)
      return [
        Dispatch(
          shader: plan.lanesShader("attention_lanes_keys"), constants: lanes.constants + wanted,
          push: push,
          groups: plan.limits.grid(lanes.groupCount(plan.shape, rowCount: plan.shape.keys)),
          work: 4 * plan.shape.work)
      ]
    }
    push.uint(span)
    push.float(plan.shape.scale)
    let groups = parts * tiles.groupCount(plan.shape, rowCount: plan.shape.keys)
    let main = Dispatch(
      shader: plan.shader("attention_backward_keys"),
      constants: tiles.constants + wanted + [UInt32(parts)], push: push,
      groups: plan.limits.grid(groups), work: 4 * plan.shape.work)
    return [main] + (parts > 1 ? sums : [])
  }

  /// Parts become gradients.
  private var sums: [Dispatch] {
    (0..<2).compactMap { index in
      guard let gradient = plan.node.output(index + 1) else { return nil }
      var push = PushConstants()
      push.read(partRegion(index))
      push.write(gradient)
      push.uint(parts)
      push.uint(plan.shape.keyCount)
      let size = plan.limits.groupSize(256)
      return Dispatch(
        shader: plan.shader("attention_parts"), constants: [UInt32(size), 1, 1], push: push,
        groups: plan.limits.grid((plan.shape.keyCount + size - 1) / size),
        work: Double(parts * plan.shape.keyCount))
    }
  }
}
