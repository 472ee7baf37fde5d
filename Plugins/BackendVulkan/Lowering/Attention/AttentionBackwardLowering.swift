import EspalierABI
import VulkanShaders

/// do, q, k, v, o, lse → dq, dk, dv, each where it is wanted; scores are computed again, never stored.
///
/// The workspace holds delta = Σ do · o of every row, then the parts of dk and of dv where several
/// workgroups share the queries.
struct AttentionBackwardLowering: Lowering {
  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let shape = AttentionShape(q: node.input(1), k: node.input(2), of: node),
      let cotangent = node.input(0), let v = node.input(3), let o = node.input(4),
      let lse = node.input(5)
    else { return AttentionShape.misfit }
    return shape.objection(
      queryLike: [cotangent, node.input(1), o, node.output(0)],
      keyLike: [node.input(2), v, node.output(1), node.output(2)], statistics: lse, on: limits)
  }

  func workspaceBytes(of node: NodeView, on limits: DeviceLimits) -> UInt64 {
    AttentionBackward(node, on: limits)?.workspaceBytes ?? 0
  }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    AttentionBackward(node, on: limits)?.dispatches ?? []
  }
}

/// The plan of one backward node.
private struct AttentionBackward {
  let node: NodeView
  let limits: DeviceLimits
  let shape: AttentionShape
  let act: Int
  let delta: Region
  let keyTiles: AttentionTiles
  /// Queries of one workgroup of the key pass, and how many workgroups share them.
  let span: Int
  let parts: Int

  init?(_ node: NodeView, on limits: DeviceLimits) {
    guard let shape = AttentionShape(q: node.input(1), k: node.input(2), of: node),
      let q = node.input(1)
    else { return nil }
    self.node = node
    self.limits = limits
    self.shape = shape
    act = q.storageVariant
    delta = node.workspace(byteCount: Self.aligned(shape.headCount * shape.queries * 4))
    let wanted = [node.output(1), node.output(2)].count { $0 != nil }
    let tiles = AttentionTiles(
      shape, rowCount: shape.keys, columnCount: shape.queries, sumCount: max(wanted, 1), on: limits)
    let groups = shape.headCount * ((shape.keys + tiles.rows - 1) / tiles.rows)
    // Few keys and many queries, as in cross attention: share the queries, at least four tiles each.
    let tileCount = (shape.queries + tiles.columns - 1) / tiles.columns
    let shares = max(1, min(Self.wantedGroups / groups, tileCount / 4))
    span = (tileCount + shares - 1) / shares * tiles.columns
    parts = (shape.queries + span - 1) / span
    keyTiles = tiles
  }

  private static let wantedGroups = 256

  private static func aligned(_ byteCount: Int) -> UInt64 { UInt64((byteCount + 255) / 256 * 256) }

  private var wantsKeys: Bool { node.output(1) != nil || node.output(2) != nil }

  /// Parts of dk (0) or dv (1).
  private func partRegion(_ index: Int) -> Region {
    let size = Self.aligned(parts * shape.keyCount * 4)
    return node.workspace(at: delta.byteCount + UInt64(index) * size, byteCount: size)
  }

  var workspaceBytes: UInt64 {
    delta.byteCount + (wantsKeys && parts > 1 ? 2 * partRegion(0).byteCount : 0)
  }

  var dispatches: [Dispatch] {
    var list: [Dispatch] = []
    if node.output(0) != nil || node.output(1) != nil { list.append(deltaPass) }
    if let dq = node.output(0) { list.append(queryPass(dq)) }
    if wantsKeys { list.append(keyPass) }
    if parts > 1 {
      for index in 0..<2 {
        if let gradient = node.output(index + 1) { list.append(sum(index, gradient)) }
      }
    }
    return list
  }

  private var deltaPass: Dispatch {
    var push = PushConstants()
    push.read(node.input(0))
    push.read(node.input(4))
    push.write(delta)
    push.sizes(of: shape)
    let rows = shape.headCount * shape.queries
    let (size, lanes) = (limits.groupSize(64), 8)
    return Dispatch(
      shader: ShaderVariant("attention_delta", ["ACT": act]),
      constants: [size, 1, 1, shape.width, lanes, size].map { UInt32($0) }, push: push,
      groups: limits.grid((rows * lanes + size - 1) / size), work: 2 * Double(shape.queryCount))
  }

  private func queryPass(_ dq: Operand) -> Dispatch {
    let tiles = AttentionTiles(
      shape, rowCount: shape.queries, columnCount: shape.keys, sumCount: 1, on: limits)
    var push = operands
    push.write(dq)
    push.sizes(of: shape)
    push.float(shape.scale)
    let groups = shape.headCount * ((shape.queries + tiles.rows - 1) / tiles.rows)
    return Dispatch(
      shader: ShaderVariant("attention_backward_queries", ["ACT": act]),
      constants: tiles.constants, push: push, groups: limits.grid(groups), work: 3 * shape.work)
  }

  private var keyPass: Dispatch {
    var push = operands
    for index in 0..<2 {
      if parts > 1, node.output(index + 1) != nil {
        push.write(partRegion(index))
      } else {
        push.write(node.output(index + 1))
      }
    }
    push.sizes(of: shape)
    push.uint(span)
    push.float(shape.scale)
    let groups = parts * shape.headCount * ((shape.keys + keyTiles.rows - 1) / keyTiles.rows)
    let wanted = (1...2).map { node.output($0) == nil ? UInt32(0) : 1 }
    return Dispatch(
      shader: ShaderVariant("attention_backward_keys", ["ACT": act]),
      constants: keyTiles.constants + wanted + [UInt32(parts)], push: push,
      groups: limits.grid(groups), work: 4 * shape.work)
  }

  /// q, k, v, do, lse, delta.
  private var operands: PushConstants {
    var push = PushConstants()
    for index in [1, 2, 3, 0, 5] { push.read(node.input(index)) }
    push.read(delta)
    return push
  }

  private func sum(_ index: Int, _ gradient: Operand) -> Dispatch {
    var push = PushConstants()
    push.read(partRegion(index))
    push.write(gradient)
    push.uint(parts)
    push.uint(shape.keyCount)
    let size = limits.groupSize(256)
    return Dispatch(
      shader: ShaderVariant("attention_parts", ["ACT": act]), constants: [UInt32(size), 1, 1],
      push: push, groups: limits.grid((shape.keyCount + size - 1) / size),
      work: Double(parts * shape.keyCount))
  }
}
