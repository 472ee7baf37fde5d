import CBLASKernels
import EspalierPluginKit

/// The machine's processors and memory.
final class Device: BackendDevice {
  private let host: HostServices
  private let ledger = MemoryLedger()

  init(host: HostServices) { self.host = host }

  func makeBuffer(
    byteCount: UInt64, usage: BufferUsage
  ) throws(PluginError) -> any BackendBuffer {
    try Buffer(byteCount: byteCount, ledger: ledger)
  }

  var importsMemory: Bool { true }

  func importBuffer(
    _ memory: UnsafeRawBufferPointer
  ) throws(PluginError) -> any BackendBuffer {
    try Buffer(importing: memory)
  }

  func analyze(_ graph: BackendGraph) throws(PluginError) -> [NodeAnalysis] {
    let table = CallTable(graph, host: host)
    return graph.nodes.indices.map { node in
      if let objection = table.objection(to: node) { return NodeAnalysis(objection: objection) }
      let inPlaceInputs = bk_find_kernel(table.calls[node].op)?.pointee.inplace ?? 0
      return NodeAnalysis(
        workspaceBytes: table.workspaceBytes(of: node),
        inPlaceInputs: UInt32(bitPattern: inPlaceInputs), copy: table.copyOffer(of: node))
    }
  }

  func compile(
    _ graph: BackendGraph, _ plan: BackendPlan
  ) throws(PluginError) -> any BackendExecutable {
    Executable(graph, plan, host: host)
  }

  /// Executions are over when they return.
  func wait() throws(PluginError) {}

  var memory: (now: UInt64, peak: UInt64) { ledger.bytes }

  func close() {}
}
