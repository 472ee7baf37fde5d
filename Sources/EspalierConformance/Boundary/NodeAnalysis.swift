import EspalierABI

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
    var fused = [Int32](repeating: 0, count: max(nodes, 1))
    try supported.withUnsafeMutableBufferPointer { supported in
      try vetoes.withUnsafeMutableBufferPointer { vetoes in
        try workspaces.withUnsafeMutableBufferPointer { workspaces in
          try vanishes.withUnsafeMutableBufferPointer { vanishes in
            try fused.withUnsafeMutableBufferPointer { fused in
              guard let supported = supported.baseAddress, let vetoes = vetoes.baseAddress,
                let workspaces = workspaces.baseAddress, let vanishes = vanishes.baseAddress,
                let fused = fused.baseAddress
              else { return }
              var analysis = esp_analysis(
                struct_size: UInt32(MemoryLayout<esp_analysis>.size), reserved: 0,
                node_supported: supported, node_inplace_veto: vetoes, node_workspace: workspaces,
                tensor_vanishes: vanishes, node_fused_into: fused)
              try checked("graph_analyze") { api.graph_analyze(device, graph, &analysis, $0) }
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
    }
    return NodeAnalysis(
      isSupported: supported.prefix(nodes).map { $0 == 1 },
      inPlaceVetoes: Array(vetoes.prefix(nodes)),
      workspaceBytes: workspaces.prefix(nodes).map { Int($0) },
      vanishes: vanishes.prefix(storage.byteCounts.count).map { $0 != 0 })
  }

  private func require(_ holds: Bool, _ message: String) throws {
    if !holds { throw BackendFailure(message: "graph_analyze: " + message) }
  }
}
