import EspalierABI
import EspalierGraph

/// The first phase at the boundary: asks a backend about a program and plans its memory.
struct ExecutionPlanner {
  let device: ComputeDevice
  let program: GraphProgram
  let graph: BoundaryGraph

  /// The plan, and by node the copies of weights that the backend offers to keep.
  ///
  /// - Throws: `BackendError.unsupported` with the nodes that the backend cannot run.
  func plan() throws(BackendError) -> (memory: MemoryPlan, offers: [esp_copy_offer]) {
    let nodeCount = program.nodes.count
    let supported = Column<UInt8>(nodeCount)
    let vetoes = Column<UInt8>(nodeCount)
    let workspaces = Column<UInt64>(nodeCount)
    let vanishing = Column<UInt8>(program.tensors.count)
    let fusedInto = Column<Int32>(nodeCount)
    let offers = Column<esp_copy_offer>(nodeCount, of: esp_copy_offer())
    var analysis = esp_analysis(
      struct_size: UInt32(MemoryLayout<esp_analysis>.size), reserved: 0,
      node_supported: supported.base, node_inplace_veto: vetoes.base,
      node_workspace: workspaces.base, tensor_vanishes: vanishing.base,
      node_fused_into: fusedInto.base, node_copies: offers.base)
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
    let memory = MemoryPlan(
      program,
      MemoryPlan.Constraints(
        alignment: device.info.alignment, maxArenaBytes: device.info.maxBufferByteCount,
        workspaces: workspaces.values.map { Int(clamping: $0) }, inPlaceVetoes: vetoes.values,
        vanishing: vanishing.values.map { $0 != 0 },
        fusedInto: fusedInto.values.map {
          $0 > 0 && Int($0) <= nodeCount ? Int($0) - 1 : nil
        }))
    return (memory, offers.values)
  }
}

/// One zeroed array of an analysis.
private final class Column<Element: BitwiseCopyable> {
  let base: UnsafeMutablePointer<Element>
  private let count: Int

  init(_ count: Int, of zero: Element) {
    self.count = count
    base = .allocate(capacity: max(count, 1))
    base.initialize(repeating: zero, count: max(count, 1))
  }

  convenience init(_ count: Int) where Element: BinaryInteger { self.init(count, of: 0) }

  deinit { base.deallocate() }

  var values: [Element] { Array(UnsafeBufferPointer(start: base, count: count)) }
}
