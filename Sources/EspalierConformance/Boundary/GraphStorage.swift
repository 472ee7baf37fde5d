public import EspalierABI

/// A graph in C's terms; owns the memory that its pointers refer to.
public final class GraphStorage {
  /// The layer path of every node.
  public static let label = "layer.under.test"

  /// Bytes of every tensor.
  public private(set) var byteCounts: [Int] = []
  private let graph: UnsafeMutablePointer<esp_graph>
  private var tensors: [esp_tensor] = []
  private var nodes: [(Int32, [Int32], [Int32], [Int64], [Double])] = []
  private var blocks: [UnsafeMutableRawPointer] = []

  /// An empty graph.
  public init() {
    graph = .allocate(capacity: 1)
    graph.initialize(to: esp_graph())
  }

  deinit {
    for block in blocks { block.deallocate() }
    graph.deallocate()
  }

  /// Adds a tensor and gives its index.
  @discardableResult
  public func tensor(
    _ shape: [Int], storage: StorageType = .float32, role: Int32, aliasOf: Int32 = -1
  ) -> Int32 {
    var tensor = esp_tensor()
    tensor.dtype = storage.rawValue
    tensor.role = role
    tensor.rank = Int32(shape.count)
    tensor.alias_of = aliasOf
    withUnsafeMutableBytes(of: &tensor.dims) { dims in
      for (axis, size) in shape.enumerated() where axis < Int(ESP_MAX_RANK) {
        dims.storeBytes(of: Int64(size), toByteOffset: 8 * axis, as: Int64.self)
      }
    }
    tensors.append(tensor)
    byteCounts.append(shape.reduce(storage.byteCount, &*))  // a faulty shape may overflow
    return Int32(tensors.count - 1)
  }

  /// Adds a node.
  public func node(
    _ code: Int32, _ inputs: [Int32], _ outputs: [Int32], integers: [Int64] = [],
    floats: [Double] = []
  ) {
    nodes.append((code, inputs, outputs, integers, floats))
  }

  /// `ESP_ROLE_…` of every tensor.
  public var roles: [Int32] { tensors.map(\.role) }
  /// The tensor in whose place each tensor is, or -1.
  public var aliases: [Int32] { tensors.map(\.alias_of) }
  /// The number of nodes.
  public var nodeCount: Int { nodes.count }

  /// Lays the graph out in memory and gives it.
  public func finish() -> UnsafePointer<esp_graph> {
    let size = MemoryLayout<esp_node>.stride
    let memory = block(size * nodes.count)
    let label = UnsafePointer(array(Self.label.utf8CString.map { $0 }))
    for (index, node) in nodes.enumerated() {
      let (code, inputs, outputs, integers, floats) = node
      let target = (memory + size * index).assumingMemoryBound(to: esp_node.self)
      target.pointee.op = code
      target.pointee.input_count = UInt32(inputs.count)
      target.pointee.output_count = UInt32(outputs.count)
      target.pointee.inputs = UnsafePointer(array(inputs))
      target.pointee.outputs = UnsafePointer(array(outputs))
      target.pointee.label = label
      withUnsafeMutableBytes(of: &target.pointee.i) { target in
        for (k, value) in integers.enumerated() {
          target.storeBytes(of: value, toByteOffset: 8 * k, as: Int64.self)
        }
      }
      withUnsafeMutableBytes(of: &target.pointee.f) { target in
        for (k, value) in floats.enumerated() {
          target.storeBytes(of: value, toByteOffset: 8 * k, as: Double.self)
        }
      }
    }
    graph.pointee.struct_size = UInt32(MemoryLayout<esp_graph>.size)
    graph.pointee.tensor_count = UInt32(tensors.count)
    graph.pointee.node_count = UInt32(nodes.count)
    graph.pointee.tensors = UnsafePointer(array(tensors))
    graph.pointee.nodes = UnsafePointer(memory.assumingMemoryBound(to: esp_node.self))
    return UnsafePointer(graph)
  }

  /// Zeroed memory that lives as long as this object.
  private func block(_ bytes: Int) -> UnsafeMutableRawPointer {
    let block = UnsafeMutableRawPointer.allocate(byteCount: max(bytes, 64), alignment: 64)
    block.initializeMemory(as: UInt8.self, repeating: 0, count: max(bytes, 64))
    blocks.append(block)
    return block
  }

  private func array<T: BitwiseCopyable>(_ values: [T]) -> UnsafeMutablePointer<T> {
    let memory = block(values.count * MemoryLayout<T>.stride)
    for (index, value) in values.enumerated() {
      memory.storeBytes(of: value, toByteOffset: index * MemoryLayout<T>.stride, as: T.self)
    }
    return memory.assumingMemoryBound(to: T.self)
  }
}
