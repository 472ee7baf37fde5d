import CBLASKernels
import EspalierABI

/// Says for every node whether it can run here, with how much scratch, and whether its output may take
/// the place of an input.
func analyze(
  _ graph: UnsafePointer<esp_graph>, host: Host, into analysis: UnsafeMutablePointer<esp_analysis>
) throws(BackendError) {
  let checked = try CheckedGraph(graph)
  let table = CallTable(checked, host: host)
  let result = analysis.pointee
  for index in 0..<table.nodeCount {
    guard table.objection(to: index) == nil else {
      result.node_supported[index] = 0
      result.node_inplace_veto[index] = .max
      continue
    }
    result.node_supported[index] = 1
    result.node_workspace[index] = table.workspaceBytes(of: index)
    let inputs = bk_find_kernel(table.calls[index].op)?.pointee.inplace ?? 0
    result.node_inplace_veto[index] = UInt8(truncatingIfNeeded: ~inputs)
  }
}
