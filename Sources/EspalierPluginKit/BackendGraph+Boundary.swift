public import EspalierABI

extension BackendGraph {
  /// Copies a graph of the host, of which it trusts nothing but the lengths of its arrays.
  ///
  /// - Throws: `PluginError` naming the first thing that is wrong.
  public init(_ graph: UnsafePointer<esp_graph>) throws(PluginError) {
    let (tensorCount, nodeCount) = (graph.pointee.tensor_count, graph.pointee.node_count)
    guard graph.pointee.tensors != nil || tensorCount == 0,
      graph.pointee.nodes != nil || nodeCount == 0
    else { throw .invalidArgument("a graph without its tensors or nodes") }
    let sources = UnsafeBufferPointer(start: graph.pointee.tensors, count: Int(tensorCount))
    var tensors: [GraphTensor] = []
    tensors.reserveCapacity(sources.count)
    for index in sources.indices {
      tensors.append(try GraphTensor(sources, index))
    }
    for index in tensors.indices { try Self.checkAlias(index, tensors) }
    var nodes: [GraphNode] = []
    nodes.reserveCapacity(Int(nodeCount))
    for node in UnsafeBufferPointer(start: graph.pointee.nodes, count: Int(nodeCount)) {
      nodes.append(try GraphNode(node, index: nodes.count, tensorCount: tensors.count))
    }
    try Self.checkOrder(tensors, nodes)
    self.init(tensors: tensors, nodes: nodes)
  }

  /// An alias stands in a state or an input of its own size and type.
  private static func checkAlias(_ index: Int, _ tensors: [GraphTensor]) throws(PluginError) {
    let (tensor, root) = (tensors[index], tensors[tensors[index].root])
    guard tensor.root != index else { return }
    guard root.role == ESP_ROLE_STATE || root.role == ESP_ROLE_INPUT else {
      throw .invalidArgument(
        "tensor \(index) is an alias of tensor \(tensor.root), not a state or an input")
    }
    guard tensor.role != ESP_ROLE_WEIGHT else {
      throw .invalidArgument("tensor \(index) is a weight and an alias")
    }
    guard root.byteCount == tensor.byteCount, root.dtype == tensor.dtype else {
      throw .invalidArgument(
        "tensor \(index) differs in size from tensor \(tensor.root), its place")
    }
  }

  /// Every value is written once, and before it is read.
  private static func checkOrder(
    _ tensors: [GraphTensor], _ nodes: [GraphNode]
  ) throws(PluginError) {
    var hasValue = tensors.indices.map { index in
      switch tensors[index].role {
      case ESP_ROLE_INPUT, ESP_ROLE_WEIGHT, ESP_ROLE_STATE: tensors[index].root == index
      default: false
      }
    }
    for (index, node) in nodes.enumerated() {
      for case .some(let input) in node.inputs where !hasValue[input] {
        throw .atNode(index, node.label, "it reads tensor \(input) before anything wrote it")
      }
      for case .some(let output) in node.outputs {
        guard !hasValue[output] else {
          throw .atNode(index, node.label, "it writes tensor \(output), which has a value already")
        }
        hasValue[output] = true
      }
    }
  }
}

extension GraphTensor {
  /// Bytes of one element.
  public var elementByteCount: UInt64 { Self.elementByteCount(of: dtype) ?? 1 }

  /// Bytes of one element, or nil for an unknown type.
  private static func elementByteCount(of dtype: Int32) -> UInt64? {
    switch dtype {
    case ESP_DTYPE_F32, ESP_DTYPE_I32: 4
    case ESP_DTYPE_F16, ESP_DTYPE_BF16: 2
    default: nil
    }
  }

  fileprivate init(
    _ tensors: UnsafeBufferPointer<esp_tensor>, _ index: Int
  ) throws(PluginError) {
    let tensor = tensors[index]
    guard let elementBytes = Self.elementByteCount(of: tensor.dtype) else {
      throw .invalidArgument("tensor \(index) has the unknown type \(tensor.dtype)")
    }
    guard (ESP_ROLE_INPUT...ESP_ROLE_OUTPUT).contains(tensor.role) else {
      throw .invalidArgument("tensor \(index) has the unknown role \(tensor.role)")
    }
    guard (0...ESP_MAX_RANK).contains(tensor.rank) else {
      throw .invalidArgument(
        "tensor \(index) has rank \(tensor.rank), expected 0 to \(ESP_MAX_RANK)")
    }
    var dims: [Int] = []
    var total = elementBytes
    for axis in 0..<Int(tensor.rank) {
      let size = withUnsafeBytes(of: tensor.dims) {
        $0.load(fromByteOffset: axis * MemoryLayout<Int64>.stride, as: Int64.self)
      }
      guard size > 0 else {
        throw .invalidArgument("tensor \(index) has the size \(size) along axis \(axis)")
      }
      let (product, overflow) = total.multipliedReportingOverflow(by: UInt64(size))
      guard !overflow, product < 1 << 62 else {
        throw .invalidArgument("tensor \(index) is too large")
      }
      total = product
      dims.append(Int(size))
    }
    self.init(
      dtype: tensor.dtype, role: tensor.role, dims: dims,
      root: try Self.root(of: index, in: tensors), elementCount: Int(total / elementBytes),
      byteCount: total)
  }

  /// Where the chain of aliases from `index` ends.
  private static func root(
    of index: Int, in tensors: UnsafeBufferPointer<esp_tensor>
  ) throws(PluginError) -> Int {
    var root = index
    var steps = 0
    while tensors[root].alias_of != -1 {
      let next = Int(tensors[root].alias_of)
      guard tensors.indices.contains(next), steps < tensors.count else {
        throw .invalidArgument("tensor \(index) is an alias of no tensor")
      }
      root = next
      steps += 1
    }
    return root
  }
}

extension GraphNode {
  fileprivate init(_ node: esp_node, index: Int, tensorCount: Int) throws(PluginError) {
    let label = String(cString: node.label)
    func operands(
      _ start: UnsafePointer<Int32>?, _ count: UInt32, _ what: String
    ) throws(PluginError) -> [Int?] {
      guard start != nil || count == 0 else {
        throw .atNode(index, label, "its operands are missing")
      }
      var tensors: [Int?] = []
      tensors.reserveCapacity(Int(count))
      for tensor in UnsafeBufferPointer(start: start, count: Int(count)) {
        guard tensor == -1 || (0..<tensorCount).contains(Int(tensor)) else {
          throw .atNode(index, label, "its \(what) \(tensor) is outside the graph")
        }
        tensors.append(tensor == -1 ? nil : Int(tensor))
      }
      return tensors
    }
    self.init(
      op: node.op, inputs: try operands(node.inputs, node.input_count, "input"),
      outputs: try operands(node.outputs, node.output_count, "output"),
      integers: withUnsafeBytes(of: node.i) { $0.bindMemory(to: Int64.self).map { Int($0) } },
      floats: withUnsafeBytes(of: node.f) { Array($0.bindMemory(to: Double.self)) },
      label: label)
  }
}
