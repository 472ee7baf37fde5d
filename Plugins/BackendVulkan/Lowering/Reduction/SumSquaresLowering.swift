import EspalierABI
import VulkanShaders

/// x0, x1, … → Σ of all squares: partial sums, eight tensors a dispatch, then their sum.
struct SumSquaresLowering: Lowering {
  /// Addresses that the shader takes.
  private static let tensorsPerDispatch = 8
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
    for start in stride(from: 0, to: node.inputs.count, by: Self.tensorsPerDispatch) {
      let chunk = Array(node.inputs[start...].prefix(Self.tensorsPerDispatch))
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
    let padding = Self.tensorsPerDispatch - tensors.count
    var push = PushConstants()
    for tensor in tensors { push.read(tensor) }
    for _ in 0..<padding { push.null() }
    push.write(sums)
    for tensor in tensors { push.uint(tensor?.elementCount ?? 0) }
    for _ in 0..<padding { push.uint(0) }
    push.uint(Self.piece)
    return Dispatch(
      shader: ShaderVariant("sum_squares", ["SUBGROUP": limits.subgroupVariant]),
      constants: [UInt32(limits.groupSize(256)), 1, 1],
      push: push, groups: limits.grid(pieceCount(tensors)),
      work: Double(tensors.reduce(0) { $0 + ($1?.elementCount ?? 0) }))
  }
}
