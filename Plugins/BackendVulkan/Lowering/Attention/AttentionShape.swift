/// The sizes of an attention: q `[batch, queries, heads·width]`, k and v `[batch, keys, heads·width]`.
struct AttentionShape: Sendable {
  let batch: Int
  let heads: Int
  let queries: Int
  let keys: Int
  /// Of a head.
  let width: Int
  let isCausal: Bool
  let scale: Double

  /// Heads of all samples.
  var headCount: Int { batch * heads }

  /// Floating-point operations of one product of all scores' size.
  var work: Double {
    2 * Double(headCount) * Double(queries) * Double(keys) * Double(width) * (isCausal ? 0.5 : 1)
  }

  /// The widest head that is offered.
  static let maxWidth = 512

  /// Nil where q and k are missing or do not fit each other; `objection` says why.
  init?(q: Operand?, k: Operand?, of node: NodeView) {
    guard let q, let k, node.integers[0] > 0, q.dims.count >= 2, k.dims.count >= 2,
      q.firstDim == k.firstDim, q.lastDim == k.lastDim, q.lastDim % node.integers[0] == 0,
      q.elementCount > 0, k.elementCount > 0
    else { return nil }
    batch = q.firstDim
    heads = node.integers[0]
    queries = q.elementCount / (q.firstDim * q.lastDim)
    keys = k.elementCount / (k.firstDim * k.lastDim)
    width = q.lastDim / heads
    isCausal = node.integers[1] != 0
    scale = node.floats[0]
  }

  /// Why operands that must be like q, like k, or statistics of the queries are not, or nil.
  func objection(
    queryLike: [Operand?], keyLike: [Operand?], statistics: Operand?, on limits: DeviceLimits
  ) -> String? {
    guard width <= Self.maxWidth else { return "heads wider than \(Self.maxWidth) are not offered" }
    guard queryLike.allSatisfy({ $0.map { $0.elementCount == queryCount } ?? true }) else {
      return "q, o or their gradients differ in size"
    }
    guard keyLike.allSatisfy({ $0.map { $0.elementCount == keyCount } ?? true }) else {
      return "k, v or their gradients differ in size"
    }
    if let statistics, statistics.elementCount != headCount * queries {
      return "lse is not [batch, heads, queries]"
    }
    return storageObjection(queryLike + keyLike, on: limits) ?? float32Objection([statistics])
  }

  /// Elements of q.
  var queryCount: Int { batch * queries * heads * width }
  /// Elements of k.
  var keyCount: Int { batch * keys * heads * width }

  /// The message for operands that make no shape.
  static let misfit =
    "q and k are missing, empty, or no [batch, tokens, heads · width] of one batch"
}
