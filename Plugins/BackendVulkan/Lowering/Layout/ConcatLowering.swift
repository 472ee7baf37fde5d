import EspalierABI

/// x0[…,C0], x1[…,C1], … → […,C0+C1+…].
struct ConcatLowering: Lowering {
  /// Inputs that one dispatch copies.
  private static let inputsPerDispatch = 4

  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let y = node.output(0), !node.inputs.isEmpty else { return "y or all inputs are missing" }
    var width = 0
    for input in node.inputs {
      guard let input else { return "an input is missing" }
      guard !input.dims.isEmpty, input.dims.dropLast() == y.dims.dropLast() else {
        return "its operands differ in leading axes"
      }
      width += input.lastDim
    }
    guard width == y.lastDim else { return "the inputs do not add up to the output" }
    return storageObjection(node.inputs + [y], on: limits)
  }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let y = node.output(0) else { return [] }
    let inputs = node.inputs.compactMap { $0 }
    let unit = MoveUnit(dividing: inputs.map(\.lastDim), of: y)
    var first = 0
    return stride(from: 0, to: inputs.count, by: Self.inputsPerDispatch).map { start in
      let part = Array(inputs[start..<min(start + Self.inputsPerDispatch, inputs.count)])
      defer { first += part.reduce(0) { $0 + $1.lastDim } }
      return copy(part, to: first, of: y, in: unit, on: limits)
    }
  }

  /// Copies up to four inputs side by side to column `first` of y.
  private func copy(
    _ inputs: [Operand], to first: Int, of y: Operand, in unit: MoveUnit, on limits: DeviceLimits
  ) -> Dispatch {
    let count = inputs.reduce(0) { $0 + unit.count($1.elementCount) }
    var push = PushConstants()
    for k in 0..<Self.inputsPerDispatch {
      push.source(k < inputs.count ? inputs[k] : nil, on: limits)
    }
    push.write(y)
    push.uint(count)
    for k in 0..<Self.inputsPerDispatch {
      push.uint(k < inputs.count ? unit.count(inputs[k].lastDim) : 0)
    }
    push.uint(unit.count(first))
    push.uint(unit.count(y.lastDim))
    push.divisor(inputs.reduce(0) { $0 + unit.count($1.lastDim) })
    return Dispatch(
      unit.variant("concat", on: limits), covering: count, constants: [UInt32(inputs.count)],
      push: push,
      work: 2 * UInt64(count * unit.byteCount), on: limits)
  }
}
