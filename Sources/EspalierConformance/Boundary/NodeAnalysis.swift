public import EspalierABI

/// What a backend says about a graph.
public struct NodeAnalysis: Sendable {
  /// By node: it can run it.
  public let isSupported: [Bool]
  /// By node; bit k: output 0 may not take the place of input k.
  public let inPlaceVetoes: [UInt8]
  /// By node: scratch bytes.
  public let workspaceBytes: [Int]
  /// By tensor: fusion keeps it out of memory.
  public let vanishes: [Bool]
  /// By node: the copy of a weight that would help it; bytes 0: none.
  public let copies: [esp_copy_offer]
}

extension ConformanceBackend {
  /// Asks the backend about a graph.
  ///
  /// - Throws: `BackendFailure`, also for answers outside their range.
  public func analyze(_ storage: GraphStorage) throws -> NodeAnalysis {
    let graph = storage.finish()
    let nodes = storage.nodeCount
    var supported = [UInt8](repeating: 0, count: max(nodes, 1))
    var vetoes = [UInt8](repeating: 0, count: max(nodes, 1))
    var workspaces = [UInt64](repeating: 0, count: max(nodes, 1))
    var vanishes = [UInt8](repeating: 0, count: max(storage.byteCounts.count, 1))
    var copies = [esp_copy_offer](repeating: esp_copy_offer(), count: max(nodes, 1))
    var fused = [Int32](repeating: 0, count: max(nodes, 1))
    try supported.withUnsafeMutableBufferPointer { supported in
      try vetoes.withUnsafeMutableBufferPointer { vetoes in
        try workspaces.withUnsafeMutableBufferPointer { workspaces in
          try vanishes.withUnsafeMutableBufferPointer { vanishes in
            try copies.withUnsafeMutableBufferPointer { copies in
              try fused.withUnsafeMutableBufferPointer { fused in
                guard let supported = supported.baseAddress, let vetoes = vetoes.baseAddress,
                  let workspaces = workspaces.baseAddress, let vanishes = vanishes.baseAddress,
                  let fused = fused.baseAddress
                else { return }
                var analysis = esp_analysis(
                  struct_size: UInt32(MemoryLayout<esp_analysis>.size), reserved: 0,
                  node_supported: supported, node_inplace_veto: vetoes, node_workspace: workspaces,
                  tensor_vanishes: vanishes, node_fused_into: fused,
                  node_copies: copies.baseAddress)
                try checked("graph_analyze") { api.graph_analyze(device, graph, &analysis, $0) }
              }
            }
          }
        }
      }
    }
    for node in 0..<nodes {
      try require(supported[node] <= 1, "node_supported is \(supported[node]), expected 0 or 1")
      try require(
        (0...Int32(nodes)).contains(fused[node]),
        "node_fused_into is \(fused[node]), expected at most \(nodes)")
      try require(
        workspaces[node] <= maxBufferBytes,
        "node_workspace is \(workspaces[node]), more than the device's max_buffer_bytes")
      try require(copies[node], roles: storage.roles)
    }
    return NodeAnalysis(
      isSupported: supported.prefix(nodes).map { $0 == 1 },
      inPlaceVetoes: Array(vetoes.prefix(nodes)),
      workspaceBytes: workspaces.prefix(nodes).map { Int($0) },
      vanishes: vanishes.prefix(storage.byteCounts.count).map { $0 != 0 },
      copies: Array(copies.prefix(nodes)))
  }

  /// An offered copy is of a weight, and one buffer holds it.
  private func require(_ copy: esp_copy_offer, roles: [Int32]) throws {
    guard copy.bytes > 0 else { return }
    let tensor = Int(copy.tensor)
    try require(
      roles.indices.contains(tensor) && roles[tensor] == ESP_ROLE_WEIGHT,
      "node_copies names tensor \(tensor), which is no weight")
    try require(
      copy.bytes <= maxBufferBytes,
      "a copy of \(copy.bytes) bytes is offered, more than the device's max_buffer_bytes")
  }

  private func require(_ holds: Bool, _ message: String) throws {
    if !holds { throw BackendFailure(message: "graph_analyze: " + message) }
  }
}
