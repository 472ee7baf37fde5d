import EspalierABI
import VulkanShaders

/// x0, x1, … → Σ of all squares: partial sums, eight tensors a dispatch, then their sum.
struct SumSquaresLowering: Lowering {
  /// Tensors that the shader takes: texel buffers, or what the push constants have room for.
  private func tensorsPerDispatch(_ limits: DeviceLimits) -> Int { limits.hasTexelFetch ? 4 : 8 }

  /// Elements of a workgroup.
  private static let piece = 16_384

  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let y = node.output(0), !node.inputs.isEmpty, node.inputs.allSatisfy({ $0 != nil })
    else { return "an operand is missing" }
    guard y.elementCount == 1 else { return "the sum is not one element" }
    return float32Objection(node.inputs + [y])
  }

  func workspaceBytes(of node: NodeView, on limits: DeviceLimits) -> UInt64 {
    var scratch = Scratch()
    _ = scratch.floats(pieceCount(node.inputs))
    return scratch.byteCount
  }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let y = node.output(0) else { return [] }
    let total = pieceCount(node.inputs)
    var scratch = Scratch()
    let sums = scratch.floats(total)
    var all: [Dispatch] = []
    var done = 0
    let most = tensorsPerDispatch(limits)
    for start in stride(from: 0, to: node.inputs.count, by: most) {
      let chunk = Array(node.inputs[start...].prefix(most))
      let count = pieceCount(chunk)
      let place = sums.piece(at: UInt64(4 * done), byteCount: UInt64(4 * count))
      all.append(dispatch(chunk, to: place, limits))
      done += count
    }
    let last = Summation(dims: [total], kept: [false], maxParts: 1, limits: limits)
    return all
      + last.dispatches(
        from: (sums, isHalf: false), to: (y.region, isHalf: false), scratch: sums)
  }

  private func pieceCount(_ tensors: [Operand?]) -> Int {
    tensors.reduce(0) { $0 + ($1?.elementCount ?? 0).dividedUp(by: Self.piece) }
  }

  private func dispatch(_ tensors: [Operand?], to sums: Region, _ limits: DeviceLimits) -> Dispatch
  {
    let padding = tensorsPerDispatch(limits) - tensors.count
    var push = PushConstants()
    for tensor in tensors.compactMap({ $0 }) {
      push.source(tensor.region, isFetched: limits.hasTexelFetch)
    }
    for _ in 0..<padding {
      if limits.hasTexelFetch { push.uint(0) } else { push.null() }
    }
    push.write(sums)
    for tensor in tensors { push.uint(tensor?.elementCount ?? 0) }
    for _ in 0..<padding { push.uint(0) }
    push.uint(Self.piece)
    return Dispatch(
      shader: ShaderVariant(
        "sum_squares", ["FETCH": limits.hasTexelFetch ? 1 : 0, "SUBGROUP": limits.subgroupVariant]),
      constants: [UInt32(limits.reductionGroupSize), 1, 1],
      push: push, groups: limits.grid(pieceCount(tensors)),
      work: Double(tensors.reduce(0) { $0 + ($1?.elementCount ?? 0) }))
  }
}
