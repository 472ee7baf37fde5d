import EspalierTensors

/// Joins tensors along the last axis.
struct Concat: Operation {
  var code: OperationCode { .concat }

  func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    let first = try input(inputs, 0)
    var size = 0
    for k in inputs.indices {
      let part = try input(inputs, k)
      try require(
        part.shape.dims.dropLast() == first.shape.dims.dropLast() && part.dtype == first.dtype,
        "the parts differ before their last axis")
      size += part.shape.last
    }
    return [TensorSpec(first.dtype, first.shape.withLast(size))]
  }

  /// Each part gets its slice; parts that nothing trains upstream of get none.
  func vjp(_ node: VJPNode) -> [Value?] {
    guard let dy = node.cotangents[0] else { return node.inputs.map { _ in nil } }
    var start = 0
    return zip(node.inputs, node.needs).map { part, needed in
      guard let part else { return nil }
      defer { start += part.shape.last }
      return needed ? dy.slice(from: start, count: part.shape.last) : nil
    }
  }
}

/// A range of the last axis.
struct Slice: Operation {
  let start: Int
  let size: Int

  var code: OperationCode { .slice }
  var integers: [Int64] { [Int64(start)] }

  func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    let x = try input(inputs, 0)
    try require(
      start >= 0 && size > 0 && start + size <= x.shape.last,
      "\(start)..<\(start + size) is outside the last axis")
    return [TensorSpec(x.dtype, x.shape.withLast(size))]
  }
}

/// Sums over the axes that the target lacks.
struct SumTo: Operation {
  let target: Shape
  /// `[B, …, C]` → `[B, C]`; otherwise the target is right-aligned.
  let keepsFirstAxis: Bool

  var code: OperationCode { .sumTo }
  var integers: [Int64] { [keepsFirstAxis ? 1 : 0] }

  func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    let x = try input(inputs, 0)
    let rule: Broadcast = keepsFirstAxis ? .perSample : .rightAligned
    try require(rule.accepts(x.shape, target), "\(x.shape) does not sum to \(target)")
    return [TensorSpec(.float32, target)]
  }
}

/// Changes the storage type, rounding to nearest even.
struct Cast: Operation {
  let target: DType

  var code: OperationCode { .cast }

  func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    let x = try input(inputs, 0)
    try require(target.isFloatingStorage && x.dtype.isFloatingStorage, "only floats are cast")
    return [TensorSpec(target, x.shape)]
  }

  func vjp(_ node: VJPNode) -> [Value?] {
    guard let dy = node.cotangents[0], let x = node.inputs[0], node.needs[0] else { return [nil] }
    return [dy.graph.apply(Cast(target: x.dtype), [dy])]
  }
}

/// Rows of a table: ids i32 `[B, L]`, table `[V, D]` → `[B, L, D]`.
struct Embedding: Operation {
  var code: OperationCode { .embedding }

  func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    let (ids, table) = (try input(inputs, 0), try input(inputs, 1))
    try require(ids.dtype == .int32 && ids.shape.rank == 2, "ids need to be i32 [B, L]")
    try require(table.shape.rank == 2, "the table needs 2 axes")
    return [TensorSpec(.float32, [ids.shape[0], ids.shape[1], table.shape[1]])]
  }
}

/// One token of each sample: x `[B, L, D]`, index i32 `[B]` → `[B, D]`.
struct GatherRows: Operation {
  var code: OperationCode { .gatherRows }

  func outputSpecs(for inputs: [TensorSpec?]) throws(ShapeError) -> [TensorSpec] {
    let (x, index) = (try input(inputs, 0), try input(inputs, 1))
    try require(x.shape.rank == 3, "x needs 3 axes [B, L, D]")
    try require(index.dtype == .int32 && index.shape == [x.shape[0]], "index needs to be i32 [B]")
    return [TensorSpec(x.dtype, [x.shape[0], x.shape[2]])]
  }
}
