import CBLASKernels
import EspalierABI

/// A graph from the host whose indices, ranks and sizes have been checked.
///
/// The pointers belong to the host and are valid during its call.
struct CheckedGraph {
  let tensors: UnsafeBufferPointer<esp_tensor>
  let nodes: UnsafeBufferPointer<esp_node>
  /// The bytes of every tensor.
  let bytes: [UInt64]
  /// The state or input in whose memory a tensor stands, or the tensor itself.
  let roots: [Int]

  /// - Throws: `BackendError.invalid` or `.node` naming the first thing that is wrong.
  init(_ graph: UnsafePointer<esp_graph>) throws(BackendError) {
    tensors = UnsafeBufferPointer(
      start: graph.pointee.tensors, count: Int(graph.pointee.tensor_count))
    nodes = UnsafeBufferPointer(start: graph.pointee.nodes, count: Int(graph.pointee.node_count))
    guard tensors.baseAddress != nil || tensors.isEmpty,
      nodes.baseAddress != nil || nodes.isEmpty
    else { throw .invalid("a graph without its tensors or nodes") }
    var bytes: [UInt64] = []
    bytes.reserveCapacity(tensors.count)
    for (index, tensor) in tensors.enumerated() {
      bytes.append(try Self.size(of: tensor, index: index))
    }
    self.bytes = bytes
    roots = try Self.roots(of: tensors, bytes: bytes)
    try checkNodes()
  }

  /// The node's inputs as tensor indices, -1 where absent.
  static func inputs(of node: esp_node) -> UnsafeBufferPointer<Int32> {
    UnsafeBufferPointer(start: node.inputs, count: Int(node.input_count))
  }

  /// The node's outputs as tensor indices, -1 where not wanted.
  static func outputs(of node: esp_node) -> UnsafeBufferPointer<Int32> {
    UnsafeBufferPointer(start: node.outputs, count: Int(node.output_count))
  }

  /// Bytes of one element, or nil for an unknown type.
  static func elementBytes(_ dtype: Int32) -> UInt64? {
    switch dtype {
    case ESP_DTYPE_F32, ESP_DTYPE_I32: 4
    case ESP_DTYPE_F16, ESP_DTYPE_BF16: 2
    default: nil
    }
  }

  private static func size(of tensor: esp_tensor, index: Int) throws(BackendError) -> UInt64 {
    guard let element = elementBytes(tensor.dtype) else {
      throw .invalid("tensor \(index) has the unknown type \(tensor.dtype)")
    }
    guard (ESP_ROLE_INPUT...ESP_ROLE_OUTPUT).contains(tensor.role) else {
      throw .invalid("tensor \(index) has the unknown role \(tensor.role)")
    }
    guard (0...ESP_MAX_RANK).contains(tensor.rank) else {
      throw .invalid("tensor \(index) has rank \(tensor.rank), expected 0 to \(ESP_MAX_RANK)")
    }
    var total = element
    let dims = withUnsafeBytes(of: tensor.dims) { Array($0.bindMemory(to: Int64.self)) }
    for axis in 0..<Int(tensor.rank) {
      guard dims[axis] > 0 else {
        throw .invalid("tensor \(index) has the size \(dims[axis]) along axis \(axis)")
      }
      let (product, overflow) = total.multipliedReportingOverflow(by: UInt64(dims[axis]))
      guard !overflow, product < 1 << 62 else { throw .invalid("tensor \(index) is too large") }
      total = product
    }
    return total
  }

  private static func roots(
    of tensors: UnsafeBufferPointer<esp_tensor>, bytes: [UInt64]
  ) throws(BackendError) -> [Int] {
    var roots: [Int] = []
    for index in tensors.indices {
      var root = index
      var steps = 0
      while tensors[root].alias_of != -1 {
        let next = Int(tensors[root].alias_of)
        guard tensors.indices.contains(next), steps <= tensors.count else {
          throw .invalid("tensor \(index) is an alias of no tensor")
        }
        root = next
        steps += 1
      }
      if root != index {
        let role = tensors[root].role
        guard role == ESP_ROLE_STATE || role == ESP_ROLE_INPUT else {
          throw .invalid("tensor \(index) is an alias of tensor \(root), not a state or an input")
        }
        guard bytes[root] == bytes[index], tensors[root].dtype == tensors[index].dtype else {
          throw .invalid("tensor \(index) differs in size from tensor \(root), its place")
        }
      }
      roots.append(root)
    }
    return roots
  }

  /// Every index inside the graph, every value written once and before it is read.
  private func checkNodes() throws(BackendError) {
    var written = tensors.indices.map { tensors[$0].alias_of == -1 && isBoundSource($0) }
    for (index, node) in nodes.enumerated() {
      guard node.inputs != nil || node.input_count == 0,
        node.outputs != nil || node.output_count == 0
      else { throw failure(index, "its operands are missing") }
      for input in Self.inputs(of: node) where input != -1 {
        guard tensors.indices.contains(Int(input)) else {
          throw failure(index, "its input \(input) is outside the graph")
        }
        guard written[Int(input)] else {
          throw failure(index, "it reads tensor \(input) before anything wrote it")
        }
      }
      for output in Self.outputs(of: node) where output != -1 {
        guard tensors.indices.contains(Int(output)) else {
          throw failure(index, "its output \(output) is outside the graph")
        }
        guard !written[Int(output)] else {
          throw failure(index, "it writes tensor \(output), which has a value already")
        }
        written[Int(output)] = true
      }
    }
  }

  /// True for a tensor that has its value before the first node.
  private func isBoundSource(_ index: Int) -> Bool {
    switch tensors[index].role {
    case ESP_ROLE_INPUT, ESP_ROLE_WEIGHT, ESP_ROLE_STATE: true
    default: false
    }
  }

  private func failure(_ index: Int, _ reason: String) -> BackendError {
    .node(index, label: String(cString: nodes[index].label), reason: reason)
  }
}
