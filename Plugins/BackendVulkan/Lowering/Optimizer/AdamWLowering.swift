import EspalierABI
import VulkanShaders

/// scalars[16], (p, g, m, v) × n → (p', m', v') × n, each in its state's place; three parameters a dispatch.
struct AdamWLowering: Lowering {
  /// What the push constants have room for.
  private static let parametersPerDispatch = 3
  /// Elements of a workgroup.
  private static let piece = 4096

  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let scalars = node.input(0), scalars.elementCount == 16, node.inputs.count >= 5,
      node.inputs.count % 4 == 1, node.inputs.allSatisfy({ $0 != nil })
    else { return "the inputs are not 16 scalars and p, g, m and v of each parameter" }
    let parameters = parameters(of: node)
    guard node.outputs.count == 3 * parameters.count else {
      return "the outputs are not p, m and v of each parameter"
    }
    for (k, parameter) in parameters.enumerated() {
      guard parameter.allSatisfy({ $0.elementCount == parameter[0].elementCount }) else {
        return "p, g, m and v differ in size"
      }
      let states = [parameter[0], parameter[2], parameter[3]].map(\.region)
      guard (0..<3).map({ node.output(3 * k + $0)?.region }) == states else {
        return "an output is not in the place of its state"
      }
    }
    return float32Objection(node.inputs)
  }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let scalars = node.input(0) else { return [] }
    let all = parameters(of: node)
    return stride(from: 0, to: all.count, by: Self.parametersPerDispatch).map { start in
      dispatch(Array(all[start...].prefix(Self.parametersPerDispatch)), scalars, limits)
    }
  }

  /// p, g, m and v of each.
  private func parameters(of node: NodeView) -> [[Operand]] {
    let operands = node.inputs.dropFirst().compactMap { $0 }
    return stride(from: 0, to: operands.count - 3, by: 4).map { Array(operands[$0..<$0 + 4]) }
  }

  private func dispatch(
    _ parameters: [[Operand]], _ scalars: Operand, _ limits: DeviceLimits
  ) -> Dispatch {
    let padding = Self.parametersPerDispatch - parameters.count
    var push = PushConstants()
    push.read(scalars)
    for k in 0..<4 {
      for parameter in parameters {
        // Of the four, only g is not changed.
        if k == 1 { push.read(parameter[k]) } else { push.update(parameter[k].region) }
      }
      for _ in 0..<padding { push.null() }
    }
    for parameter in parameters { push.uint(parameter[0].elementCount) }
    for _ in 0..<padding { push.uint(0) }
    push.uint(Self.piece)
    let counts = parameters.map { $0[0].elementCount }
    return Dispatch(
      shader: ShaderVariant("adamw"), constants: [UInt32(limits.groupSize(256)), 1, 1],
      push: push,
      groups: limits.grid(counts.reduce(0) { $0 + $1.dividedUp(by: Self.piece) }),
      work: Double(7 * counts.reduce(0, +)))
  }
}
