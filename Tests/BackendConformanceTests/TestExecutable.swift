import EspalierABI
import Testing

/// Where a test puts a temporary or a node's scratch.
struct TestPlacement {
  let arena: TestBuffer
  let offset: Int
  let bytes: Int
}

/// A tensor bound to a buffer, which lives as long as the binding: a buffer's handle alone does not keep it.
struct TestBinding {
  let tensor: Int32
  let buffer: TestBuffer
  let offset: Int

  fileprivate var forBoundary: esp_binding {
    esp_binding(tensor: tensor, reserved: 0, buffer: buffer.handle, offset: UInt64(offset))
  }
}

/// A compiled graph that is destroyed with its last reference; keeps its buffers alive.
final class TestExecutable {
  private let backend: BackendUnderTest
  private let handle: OpaquePointer
  private let buffers: [TestBuffer]

  init(_ backend: BackendUnderTest, handle: OpaquePointer, buffers: [TestBuffer]) {
    self.backend = backend
    self.handle = handle
    self.buffers = buffers
  }

  deinit { backend.api.executable_destroy(handle) }

  /// Runs the graph and waits for it.
  func execute(_ bindings: [TestBinding], options: esp_run_options? = nil) throws {
    try withExtendedLifetime((self, bindings)) {
      let list = bindings.map(\.forBoundary)
      try checked { error in
        guard var options else {
          return backend.api.execute(handle, list, list.count, nil, error)
        }
        return backend.api.execute(handle, list, list.count, &options, error)
      }
      try checked { backend.api.device_wait(backend.device, $0) }
    }
  }
}

extension BackendUnderTest {
  /// Compiles a graph with a plan: temporaries by tensor, scratch by node, bindings of the weights.
  func compile(
    _ storage: GraphStorage, placements: [Int32: TestPlacement], workspaces: [Int: TestPlacement],
    weights: [TestBinding]
  ) throws -> TestExecutable {
    let graph = storage.finish()
    var arenas: [TestBuffer] = []
    for place in Array(placements.values) + Array(workspaces.values)
    where !arenas.contains(where: { $0 === place.arena }) {
      arenas.append(place.arena)
    }
    func placement(_ place: TestPlacement?) -> esp_placement {
      guard let place, let arena = arenas.firstIndex(where: { $0 === place.arena }) else {
        return esp_placement(arena: ESP_PLACE_BOUND, reserved: 0, offset: 0, bytes: 0)
      }
      return esp_placement(
        arena: Int32(arena), reserved: 0, offset: UInt64(place.offset), bytes: UInt64(place.bytes))
    }
    let tensors = storage.byteCounts.indices.map { placement(placements[Int32($0)]) }
    let nodes = (0..<storage.nodeCount).map { placement(workspaces[$0]) }
    let handles = arenas.map { Optional($0.handle) }
    let bindings = weights.map(\.forBoundary)
    var executable: OpaquePointer?
    try handles.withUnsafeBufferPointer { handles in
      try tensors.withUnsafeBufferPointer { tensors in
        try nodes.withUnsafeBufferPointer { nodes in
          try bindings.withUnsafeBufferPointer { bindings in
            var plan = esp_memory_plan()
            plan.struct_size = UInt32(MemoryLayout<esp_memory_plan>.size)
            plan.arena_count = UInt32(handles.count)
            plan.arenas = handles.baseAddress
            plan.tensors = tensors.baseAddress
            plan.workspaces = nodes.baseAddress
            plan.weights = bindings.baseAddress
            plan.weight_count = UInt32(bindings.count)
            try checked { api.graph_compile(device, graph, &plan, &executable, $0) }
          }
        }
      }
    }
    return TestExecutable(
      self, handle: try #require(executable), buffers: arenas + weights.map(\.buffer))
  }
}

/// The binding of a tensor to a buffer.
func binding(_ tensor: Int32, _ buffer: TestBuffer, at offset: Int = 0) -> TestBinding {
  TestBinding(tensor: tensor, buffer: buffer, offset: offset)
}
