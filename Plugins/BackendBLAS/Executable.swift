import CBLASKernels
import EspalierABI
import EspalierPluginKit
import Glibc

/// A compiled graph: every call prepared, every address known but those of the bindings.
final class Executable: BackendExecutable {
  private let host: HostServices
  private let table: CallTable
  private let runs: [@convention(c) (UnsafePointer<bk_call>) -> Void]
  private let labels: [String]
  /// The tensors whose places come with every execution.
  private let bound: [Int]
  /// Owns the memory that the calls point into.
  private let plan: BackendPlan

  /// Every node can run and has its scratch.
  init(_ graph: BackendGraph, _ plan: BackendPlan, host: HostServices) {
    self.host = host
    self.plan = plan
    let table = CallTable(graph, host: host)
    self.table = table
    labels = graph.nodes.map(\.label)
    bound = graph.tensors.indices.filter { plan.tensors[$0] == nil }
    for (tensor, place) in plan.tensors.enumerated() {
      table.tensors[tensor].data = place?.address
    }
    for (node, place) in plan.workspaces.enumerated() {
      table.calls[node].workspace = place?.address
      table.calls[node].workspace_bytes = place?.byteCount ?? 0
    }
    table.makeCopies(plan.copies)
    runs = graph.nodes.compactMap { bk_find_kernel($0.op)?.pointee.run }
  }

  func execute(_ places: [Place?], timer: NodeTimer?) throws(PluginError) {
    for tensor in bound { table.tensors[tensor].data = places[tensor]?.address }
    var begin = timer == nil ? 0 : nanoseconds()
    for node in runs.indices {
      if host.isCancelled {
        throw .atNode(node, labels[node], "stopped before it ran", code: ESP_CANCELLED)
      }
      runs[node](table.calls + node)
      guard let timer else { continue }
      let end = nanoseconds()
      timer.record(node: node, begin: begin, end: end)
      begin = nanoseconds()
    }
  }

  private func nanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
  }
}
