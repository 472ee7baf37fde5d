import EspalierABI
import VulkanShaders

/// do, q, k, v, o, lse → dq, dk, dv, each where it is wanted; scores are computed again, never stored.
///
/// The workspace holds delta = Σ do · o of every row, then, where several workgroups share the queries,
/// the parts of dk and of dv.
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
    guard let plan = AttentionBackward(node, on: limits) else { return 0 }
    return plan.delta.byteCount + (plan.keyPass?.partBytes ?? 0)
  }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let plan = AttentionBackward(node, on: limits) else { return [] }
    var list: [Dispatch] = []
    if node.output(0) != nil || node.output(1) != nil { list.append(plan.deltaPass) }
    if let dq = node.output(0) { list.append(plan.queryPass(dq)) }
    if let keyPass = plan.keyPass { list += keyPass.dispatches }
    return list
  }
}

/// What the passes of one backward node share.
struct AttentionBackward: Sendable {
  let node: NodeView
  let limits: DeviceLimits
  let shape: AttentionShape
  let dtype: Int32
  /// Σ do · o of every row, f32 `[batch, heads, queries]`.
  let delta: Region

  init?(_ node: NodeView, on limits: DeviceLimits) {
    guard let shape = AttentionShape(q: node.input(1), k: node.input(2), of: node),
      let q = node.input(1)
    else { return nil }
    self.node = node
    self.limits = limits
    self.shape = shape
    dtype = q.dtype
    delta = node.workspace(byteCount: Self.aligned(shape.headCount * shape.queries * 4))
  }

  static func aligned(_ byteCount: Int) -> UInt64 { UInt64((byteCount + 255) / 256 * 256) }

  func shader(_ name: String) -> ShaderVariant { ShaderVariant(name, ["ACT": Int(dtype)]) }

  func lanesShader(_ name: String) -> ShaderVariant {
    ShaderVariant(name, ["ACT": Int(dtype), "FETCH": limits.fetchVariant])
  }

  /// The pass for dk and dv, nil where neither is wanted.
  var keyPass: AttentionKeyPass? {
    node.output(1) == nil && node.output(2) == nil ? nil : AttentionKeyPass(self)
  }

  var deltaPass: Dispatch {
    var push = PushConstants()
    push.read(node.input(0))
    push.read(node.input(4))
    push.write(delta)
    push.sizes(of: shape)
    let rows = shape.headCount * shape.queries
    let (size, lanes) = (limits.groupSize(64), 8)
    return Dispatch(
      shader: shader("attention_delta"),
      constants: [size, 1, 1, shape.width, lanes, size].map { UInt32($0) }, push: push,
      groups: limits.grid((rows * lanes + size - 1) / size), work: 2 * Double(shape.queryCount))
  }

  func queryPass(_ dq: Operand) -> Dispatch {
    let lanes = AttentionLanes(shape, dtype: dtype, sumCount: 1, on: limits)
    var push = operands(forLanes: lanes != nil)
    push.write(dq)
    push.sizes(of: shape)
    if let lanes {
      push.uint(shape.isCausal ? 1 : 0)
      push.float(shape.scale)
      return Dispatch(
        shader: lanesShader("attention_lanes_queries"), constants: lanes.constants, push: push,
        groups: limits.grid(lanes.groupCount(shape, rowCount: shape.queries)), work: 3 * shape.work)
    }
    push.float(shape.scale)
    let tiles = AttentionTiles(
      shape, rowCount: shape.queries, columnCount: shape.keys, sumCount: 1, on: limits)
    return Dispatch(
      shader: shader("attention_backward_queries"), constants: tiles.constants, push: push,
      groups: limits.grid(tiles.groupCount(shape, rowCount: shape.queries)), work: 3 * shape.work)
  }

  /// q, k, v, do, lse, delta.
  func operands(forLanes: Bool) -> PushConstants {
    var push = PushConstants()
    for operand in [1, 2, 3, 0].compactMap({ node.input($0) }) {
      if forLanes { push.source(operand, on: limits) } else { push.read(operand) }
    }
    push.read(node.input(5))
    push.read(delta)
    return push
  }
}
