import EspalierABI
import EspalierPluginKit

/// An operation of a graph with its operands, as a lowering sees it.
struct NodeView: Sendable {
  /// `ESP_OP_…`.
  let op: Int32
  /// nil: an optional input that is absent.
  let inputs: [Operand?]
  /// nil: an optional output that is not wanted.
  let outputs: [Operand?]
  /// The header's `i`, 16 of them.
  let integers: [Int]
  /// The header's `f`, 8 of them.
  let floats: [Double]

  init(_ node: GraphNode, of graph: BackendGraph) {
    func operand(_ index: Int) -> Operand {
      let tensor = graph.tensors[index]
      return Operand(
        dtype: tensor.dtype, role: tensor.role, dims: tensor.dims,
        elementCount: tensor.elementCount,
        region: Region(base: .tensor(tensor.root), offset: 0, byteCount: tensor.byteCount))
    }
    op = node.op
    inputs = node.inputs.map { $0.map(operand) }
    outputs = node.outputs.map { $0.map(operand) }
    integers = node.integers
    floats = node.floats
  }

  /// Input `index`, nil if absent or beyond the list.
  func input(_ index: Int) -> Operand? { inputs.indices.contains(index) ? inputs[index] : nil }

  /// Output `index`, nil if not wanted or beyond the list.
  func output(_ index: Int) -> Operand? { outputs.indices.contains(index) ? outputs[index] : nil }

  /// A piece of the node's scratch.
  func workspace(at offset: UInt64 = 0, byteCount: UInt64) -> Region {
    Region(base: .workspace, offset: offset, byteCount: byteCount)
  }
}
