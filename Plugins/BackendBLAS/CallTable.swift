import CBLASKernels
import EspalierABI

/// The kernel calls of a graph, in unmanaged memory so that running one costs a function call.
///
/// All nodes share one `bk_tensor` per tensor: whoever sets its data sets it for every call.
final class CallTable {
  let tensors: UnsafeMutablePointer<bk_tensor>
  let calls: UnsafeMutablePointer<bk_call>
  let nodeCount: Int
  private let tensorCount: Int
  private let operands: UnsafeMutablePointer<UnsafePointer<bk_tensor>?>
  private let integers: UnsafeMutablePointer<Int64>
  private let floats: UnsafeMutablePointer<Double>

  /// Copies the graph's shapes, operands and attributes; all data pointers are null.
  init(_ graph: CheckedGraph, host: Host) {
    tensorCount = graph.tensors.count
    nodeCount = graph.nodes.count
    tensors = .allocate(capacity: max(tensorCount, 1))
    calls = .allocate(capacity: max(nodeCount, 1))
    integers = .allocate(capacity: max(nodeCount * Int(ESP_MAX_INTS), 1))
    floats = .allocate(capacity: max(nodeCount * Int(ESP_MAX_FLOATS), 1))
    let operandCount = graph.nodes.reduce(0) { $0 + Int($1.input_count) + Int($1.output_count) }
    operands = .allocate(capacity: max(operandCount, 1))
    for (index, tensor) in graph.tensors.enumerated() {
      (tensors + index).initialize(
        to: bk_tensor(
          data: nil, dtype: tensor.dtype, role: tensor.role, rank: tensor.rank, reserved: 0,
          dims: tensor.dims))
    }
    var next = operands
    for (index, node) in graph.nodes.enumerated() {
      let inputs = next
      for tensor in CheckedGraph.inputs(of: node) { append(tensor, at: &next) }
      let outputs = next
      for tensor in CheckedGraph.outputs(of: node) { append(tensor, at: &next) }
      addCall(index, node, inputs: inputs, outputs: outputs, host: host)
    }
  }

  deinit {
    tensors.deallocate()
    calls.deallocate()
    operands.deallocate()
    integers.deallocate()
    floats.deallocate()
  }

  private func append(
    _ tensor: Int32, at next: inout UnsafeMutablePointer<UnsafePointer<bk_tensor>?>
  ) {
    next.initialize(to: tensor == -1 ? nil : UnsafePointer(tensors + Int(tensor)))
    next += 1
  }

  private func addCall(
    _ index: Int, _ node: esp_node, inputs: UnsafePointer<UnsafePointer<bk_tensor>?>,
    outputs: UnsafePointer<UnsafePointer<bk_tensor>?>, host: Host
  ) {
    let i = integers + index * Int(ESP_MAX_INTS)
    let f = floats + index * Int(ESP_MAX_FLOATS)
    withUnsafeBytes(of: node.i) { source in
      for k in 0..<Int(ESP_MAX_INTS) {
        (i + k).initialize(to: source.load(fromByteOffset: 8 * k, as: Int64.self))
      }
    }
    withUnsafeBytes(of: node.f) { source in
      for k in 0..<Int(ESP_MAX_FLOATS) {
        (f + k).initialize(to: source.load(fromByteOffset: 8 * k, as: Double.self))
      }
    }
    (calls + index).initialize(
      to: bk_call(
        host: host.table, op: node.op, input_count: node.input_count,
        output_count: node.output_count, workers: host.workers, inputs: inputs, outputs: outputs,
        i: UnsafePointer(i), f: UnsafePointer(f), workspace: nil, workspace_bytes: 0))
  }

  /// Why the node cannot run, or nil.
  func objection(to node: Int) -> String? {
    guard let kernel = bk_find_kernel(calls[node].op) else {
      return "operation \(calls[node].op) is unknown"
    }
    return kernel.pointee.check(calls + node).map { String(cString: $0) }
  }

  /// The scratch bytes of a node that can run, a multiple of 64.
  func workspaceBytes(of node: Int) -> UInt64 {
    let bytes = bk_find_kernel(calls[node].op)?.pointee.workspace?(calls + node) ?? 0
    let (rounded, overflow) = bytes.addingReportingOverflow(63)
    return overflow ? .max : rounded & ~63
  }
}
