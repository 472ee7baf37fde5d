import EspalierABI
import EspalierGraph
import EspalierTensors

/// A program in the C structs of the boundary; valid as long as the object lives.
final class BoundaryGraph {
  private let tensors: UnsafeMutableBufferPointer<esp_tensor>
  private let nodes: UnsafeMutableBufferPointer<esp_node>
  private let indices: UnsafeMutableBufferPointer<Int32>
  private let labels: [UnsafeMutablePointer<CChar>]
  private(set) var graph = esp_graph()

  /// - Parameter weightTypes: The storage types of the weights, by tensor index.
  init(_ program: GraphProgram, weightTypes: [Int: DType]) {
    tensors = .allocate(capacity: program.tensors.count)
    nodes = .allocate(capacity: program.nodes.count)
    indices = .allocate(
      capacity: program.nodes.reduce(0) { $0 + $1.inputs.count + $1.outputs.count })
    labels = program.nodes.map { $0.path.cStringCopy() }
    for (index, tensor) in program.tensors.enumerated() {
      let dtype = weightTypes[index] ?? tensor.spec.dtype
      tensors.initializeElement(at: index, to: Self.describe(tensor, dtype))
    }
    if let base = nodes.baseAddress {
      UnsafeMutableRawPointer(base).initializeMemory(
        as: UInt8.self, repeating: 0, count: nodes.count * MemoryLayout<esp_node>.stride)
    }
    var used = 0
    for (position, node) in program.nodes.enumerated() {
      nodes[position].inputs = append(node.inputs, at: &used)
      nodes[position].outputs = append(node.outputs, at: &used)
      nodes[position].label = UnsafePointer(labels[position])
      Self.describe(node, into: &nodes[position])
    }
    graph.struct_size = UInt32(MemoryLayout<esp_graph>.size)
    graph.tensor_count = UInt32(program.tensors.count)
    graph.node_count = UInt32(program.nodes.count)
    graph.tensors = UnsafePointer(tensors.baseAddress)
    graph.nodes = UnsafePointer(nodes.baseAddress)
  }

  deinit {
    tensors.deallocate()
    nodes.deallocate()
    indices.deallocate()
    for label in labels { label.deallocate() }
  }

  private func append(_ list: [Int?], at used: inout Int) -> UnsafePointer<Int32>? {
    let start = used
    for index in list {
      indices.initializeElement(at: used, to: Int32(index ?? -1))
      used += 1
    }
    return indices.baseAddress.map { UnsafePointer($0 + start) }
  }

  private static func describe(_ tensor: GraphProgram.Tensor, _ dtype: DType) -> esp_tensor {
    var result = esp_tensor()
    result.dtype = dtype.boundaryCode ?? -1
    result.role = tensor.role.rawValue
    result.rank = Int32(tensor.spec.shape.rank)
    result.alias_of = Int32(tensor.aliasOf ?? -1)
    withUnsafeMutableBytes(of: &result.dims) { bytes in
      let dims = bytes.bindMemory(to: Int64.self)
      for (axis, size) in tensor.spec.shape.dims.prefix(dims.count).enumerated() {
        dims[axis] = Int64(size)
      }
    }
    return result
  }

  private static func describe(_ node: GraphProgram.Node, into result: inout esp_node) {
    result.op = node.code.rawValue
    result.input_count = UInt32(node.inputs.count)
    result.output_count = UInt32(node.outputs.count)
    withUnsafeMutableBytes(of: &result.i) { bytes in
      node.integers.withUnsafeBytes(bytes.copyMemory)
    }
    withUnsafeMutableBytes(of: &result.f) { bytes in
      node.floats.withUnsafeBytes(bytes.copyMemory)
    }
  }
}
