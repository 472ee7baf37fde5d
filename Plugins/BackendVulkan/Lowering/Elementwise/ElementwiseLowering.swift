import EspalierABI
import VulkanShaders

/// An operation whose shader reads its inputs and writes output 0 by `Include/lanes.glsl`: an invocation takes four
/// elements, or one where rows are odd.
///
/// The shader's push constants are the inputs, the output, the number of invocations, and what `appendArguments` adds;
/// its constants are the workgroup's size, `quads`, and `constants`.
protocol ElementwiseLowering: Lowering {
  var shader: String { get }

  /// The first inputs, as many as the shader reads; all must be there.
  var inputCount: Int { get }

  /// Why sizes do not fit; by default all operands have the same.
  func sizeObjection(inputs: [Operand], output: Operand) -> String?

  /// Why the node's numbers do not fit; none by default.
  func argumentObjection(of node: NodeView) -> String?

  /// The operand whose elements the invocations share, and how many of them make a row; by default the output, which
  /// is one row.
  func walk(inputs: [Operand], output: Operand) -> (operand: Operand, rowLength: Int)

  /// Values of the constants after `quads`; none by default.
  func constants(of node: NodeView) -> [UInt32]

  /// Adds what the shader takes after its operands and their number; nothing by default.
  ///
  /// - Parameter rowLength: In groups of the lanes.
  func appendArguments(of node: NodeView, rowLength: Int, to push: inout PushConstants)
}

extension ElementwiseLowering {
  func sizeObjection(inputs: [Operand], output: Operand) -> String? {
    inputs.allSatisfy { $0.elementCount == output.elementCount }
      ? nil : "its operands differ in size"
  }

  func argumentObjection(of node: NodeView) -> String? { nil }

  func walk(inputs: [Operand], output: Operand) -> (operand: Operand, rowLength: Int) {
    (output, output.elementCount)
  }

  func constants(of node: NodeView) -> [UInt32] { [] }

  func appendArguments(of node: NodeView, rowLength: Int, to push: inout PushConstants) {}

  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let (inputs, output) = operands(of: node) else { return "an operand is missing" }
    return sizeObjection(inputs: inputs, output: output) ?? argumentObjection(of: node)
      ?? storageObjection(inputs + [output], on: limits)
  }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let (inputs, output) = operands(of: node) else { return [] }
    let (walked, rowLength) = walk(inputs: inputs, output: output)
    let lanes = Lanes(rowLength: rowLength)
    let count = walked.elementCount / lanes.count
    var push = PushConstants()
    for input in inputs { push.source(input, on: limits) }
    push.write(output)
    push.uint(count)
    appendArguments(of: node, rowLength: rowLength / lanes.count, to: &push)
    return [
      Dispatch(
        ShaderVariant(shader, ["ACT": output.storageVariant, "FETCH": limits.fetchVariant]),
        covering: count, constants: [lanes.constant] + constants(of: node), push: push,
        work: (inputs + [output]).reduce(0) { $0 + $1.region.byteCount }, on: limits)
    ]
  }

  private func operands(of node: NodeView) -> (inputs: [Operand], output: Operand)? {
    let inputs = (0..<inputCount).compactMap { node.input($0) }
    guard inputs.count == inputCount, let output = node.output(0) else { return nil }
    return (inputs, output)
  }
}
