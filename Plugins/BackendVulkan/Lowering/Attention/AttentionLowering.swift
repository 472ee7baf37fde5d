import EspalierABI
import VulkanShaders

/// q, k, v → softmax(scale · q · kᵀ) · v, and the logarithm of the softmax's sums where it is wanted.
///
/// Source: Dao, "FlashAttention-2: Faster Attention with Better Parallelism and Work Partitioning".
struct AttentionLowering: Lowering {
  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let shape = AttentionShape(q: node.input(0), k: node.input(1), of: node),
      let v = node.input(2), let o = node.output(0)
    else { return AttentionShape.misfit }
    return shape.objection(
      queryLike: [node.input(0), o], keyLike: [node.input(1), v], statistics: node.output(1),
      on: limits)
  }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let shape = AttentionShape(q: node.input(0), k: node.input(1), of: node),
      let q = node.input(0), let k = node.input(1), let v = node.input(2), let o = node.output(0)
    else { return [] }
    let variant: KeyValuePairs = ["ACT": q.storageVariant]
    var push = PushConstants()
    if let lanes = AttentionLanes(
      shape, dtype: q.dtype, sumCount: 1, mostVectors: 128, on: limits)
    {
      for operand in [q, k, v] { push.source(operand, on: limits) }
      push.write(o)
      push.write(node.output(1))
      push.sizes(of: shape)
      push.uint(shape.isCausal ? 1 : 0)
      push.uint(node.output(1) == nil ? 0 : 1)
      push.float(shape.scale)
      return [
        Dispatch(
          shader: ShaderVariant(
            "attention_lanes_forward",
            ["ACT": q.storageVariant, "FETCH": limits.fetchVariant]),
          constants: lanes.constants, push: push,
          groups: limits.grid(lanes.groupCount(shape, rowCount: shape.queries)),
          work: 2 * shape.work)
      ]
    }
    for operand in [q, k, v] { push.read(operand) }
    push.write(o)
    push.write(node.output(1))
    push.sizes(of: shape)
    if shape.fitsMatrices(dtype: q.dtype, on: limits) {
      push.uint(node.output(1) == nil ? 0 : 1)
      push.float(shape.scale)
      return [
        Dispatch(
          shader: ShaderVariant("attention_matrix_forward", variant),
          constants: [UInt32(limits.subgroupSize), 1, 1, UInt32(shape.width)], push: push,
          groups: limits.grid(shape.headCount * shape.queries / AttentionShape.matrixRows),
          work: 2 * shape.work)
      ]
    }
    let tiles = AttentionTiles(
      shape, rowCount: shape.queries, columnCount: shape.keys, sumCount: 1, on: limits)
    push.float(shape.scale)
    return [
      Dispatch(
        shader: ShaderVariant("attention_forward", variant),
        constants: tiles.constants + [node.output(1) == nil ? 0 : 1, UInt32(tiles.groupSize)],
        push: push, groups: limits.grid(tiles.groupCount(shape, rowCount: shape.queries)),
        work: 2 * shape.work)
    ]
  }
}

extension AttentionShape {
  /// Queries of a workgroup of the kernel for matrix units, and keys at a time.
  static let matrixRows = 32

  /// Whether matrix units can compute it: they read whole 16×16 blocks of f16 from the tensors.
  func fitsMatrices(dtype: Int32, on limits: DeviceLimits) -> Bool {
    limits.hasCooperativeMatrix && limits.hasSubgroupOperations
      && limits.subgroupSize == Self.matrixRows && dtype == ESP_DTYPE_F16 && !isCausal
      && queries % Self.matrixRows == 0 && keys % Self.matrixRows == 0
      && width % 16 == 0 && width <= 128
  }
}

extension PushConstants {
  /// The four sizes that every kernel of attention takes.
  mutating func sizes(of shape: AttentionShape) {
    uint(shape.batch)
    uint(shape.heads)
    uint(shape.queries)
    uint(shape.keys)
  }
}
