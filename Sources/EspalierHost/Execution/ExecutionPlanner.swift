import EspalierABI
import EspalierGraph

/// The first phase at the boundary: asks a backend about a program and plans its memory.
struct ExecutionPlanner {
  let device: ComputeDevice
  let program: GraphProgram
  let graph: BoundaryGraph

  /// - Throws: `BackendError.unsupported` with the nodes that the backend cannot run.
  func plan() throws(BackendError) -> MemoryPlan {
    let nodeCount = program.nodes.count
    let supported = Column<UInt8>(nodeCount)
    let vetoes = Column<UInt8>(nodeCount)
    let workspaces = Column<UInt64>(nodeCount)
    let vanishing = Column<UInt8>(program.tensors.count)
    let fusedInto = Column<Int32>(nodeCount)
    var analysis = esp_analysis(
      struct_size: UInt32(MemoryLayout<esp_analysis>.size), reserved: 0,
      node_supported: supported.base, node_inplace_veto: vetoes.base,
      node_workspace: workspaces.base, tensor_vanishes: vanishing.base,
      node_fused_into: fusedInto.base)
    var description = graph.graph
    try device.call("analyze the graph") {
      device.api.pointee.graph_analyze(device.handle, &description, &analysis, $0)
    }
    let refused = (0..<nodeCount).filter { supported.base[$0] == 0 }
    if !refused.isEmpty {
      throw .unsupported(
        device: device.info.name,
        nodes: refused.map { "\(program.nodes[$0].code) in \(program.nodes[$0].path)" })
    }
    return MemoryPlan(
      program,
      MemoryPlan.Constraints(
        alignment: device.info.alignment, maxArenaBytes: device.info.maxBufferByteCount,
        workspaces: workspaces.values.map { Int(clamping: $0) }, inPlaceVetoes: vetoes.values,
        vanishing: vanishing.values.map { $0 != 0 },
        fusedInto: fusedInto.values.map {
          $0 > 0 && Int($0) <= nodeCount ? Int($0) - 1 : nil
        }))
  }
}

/// One zeroed array of an analysis.
private final class Column<Element: BinaryInteger> {
  let base: UnsafeMutablePointer<Element>
  private let count: Int

  init(_ count: Int) {
    self.count = count
    base = .allocate(capacity: max(count, 1))
    base.initialize(repeating: 0, count: max(count, 1))
  }

  deinit { base.deallocate() }

  var values: [Element] { Array(UnsafeBufferPointer(start: base, count: count)) }
}
