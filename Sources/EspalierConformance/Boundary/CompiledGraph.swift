public import EspalierABI

/// Where a case puts a temporary or a node's scratch.
public struct Placement {
  public let arena: DeviceMemory
  public let offset: Int
  public let bytes: Int

  public init(arena: DeviceMemory, offset: Int, bytes: Int) {
    self.arena = arena
    self.offset = offset
    self.bytes = bytes
  }
}

/// A tensor bound to a buffer, which lives as long as the binding: a buffer's handle alone does not keep it.
public struct Binding {
  let tensor: Int32
  let memory: DeviceMemory
  let offset: Int

  public init(_ tensor: Int32, _ memory: DeviceMemory, at offset: Int = 0) {
    self.tensor = tensor
    self.memory = memory
    self.offset = offset
  }

  fileprivate var forBoundary: esp_binding {
    esp_binding(tensor: tensor, reserved: 0, buffer: memory.handle, offset: UInt64(offset))
  }
}

/// A compiled graph that is destroyed with its last reference; keeps its buffers alive.
public final class CompiledGraph {
  private let backend: ConformanceBackend
  private let handle: OpaquePointer
  private let memory: [DeviceMemory]

  fileprivate init(_ backend: ConformanceBackend, handle: OpaquePointer, memory: [DeviceMemory]) {
    self.backend = backend
    self.handle = handle
    self.memory = memory
  }

  deinit { backend.api.executable_destroy(handle) }

  /// Runs the graph and waits for it.
  ///
  /// - Throws: `BackendFailure`.
  public func execute(_ bindings: [Binding], options: esp_run_options? = nil) throws {
    try withExtendedLifetime((self, bindings)) {
      let list = bindings.map(\.forBoundary)
      try checked("execute") { error in
        guard var options else {
          return backend.api.execute(handle, list, list.count, nil, error)
        }
        return backend.api.execute(handle, list, list.count, &options, error)
      }
      try checked("device_wait") { backend.api.device_wait(backend.device, $0) }
    }
  }
}

extension ConformanceBackend {
  /// Compiles a graph with a plan.
  ///
  /// - Parameters:
  ///   - placements: Of temporaries, by tensor.
  ///   - workspaces: By node.
  ///   - weights: Bindings of the weights.
  ///   - copies: By node: where the copy that it offered is kept, with its size.
  /// - Throws: `BackendFailure`.
  public func compile(
    _ storage: GraphStorage, placements: [Int32: Placement], workspaces: [Int: Placement],
    weights: [Binding], copies: [Int: Placement] = [:]
  ) throws -> CompiledGraph {
    let graph = storage.finish()
    var arenas: [DeviceMemory] = []
    for place in Array(placements.values) + Array(workspaces.values)
    where !arenas.contains(where: { $0 === place.arena }) {
      arenas.append(place.arena)
    }
    func placement(_ place: Placement?) -> esp_placement {
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
    let kept = copies.sorted { $0.key < $1.key }.map { node, place in
      esp_copy(
        node: Int32(node), reserved: 0, buffer: place.arena.handle, offset: UInt64(place.offset),
        bytes: UInt64(place.bytes))
    }
    var executable: OpaquePointer?
    try handles.withUnsafeBufferPointer { handles in
      try tensors.withUnsafeBufferPointer { tensors in
        try nodes.withUnsafeBufferPointer { nodes in
          try bindings.withUnsafeBufferPointer { bindings in
            try kept.withUnsafeBufferPointer { kept in
              var plan = esp_memory_plan()
              plan.struct_size = UInt32(MemoryLayout<esp_memory_plan>.size)
              plan.arena_count = UInt32(handles.count)
              plan.arenas = handles.baseAddress
              plan.tensors = tensors.baseAddress
              plan.workspaces = nodes.baseAddress
              plan.weights = bindings.baseAddress
              plan.weight_count = UInt32(bindings.count)
              plan.copies = kept.baseAddress
              plan.copy_count = kept.count
              try checked("graph_compile") {
                api.graph_compile(device, graph, &plan, &executable, $0)
              }
            }
          }
        }
      }
    }
    guard let executable else {
      throw BackendFailure(message: "graph_compile reported success but handed out no executable")
    }
    return CompiledGraph(
      self, handle: executable, memory: arenas + weights.map(\.memory) + copies.values.map(\.arena))
  }
}
