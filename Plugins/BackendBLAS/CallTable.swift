import CBLASKernels
import EspalierABI
import EspalierPluginKit

/// The kernel calls of a graph, in unmanaged memory so that running one costs a function call.
///
/// All nodes share one `bk_tensor` per tensor: whoever sets its data sets it for every call.
final class CallTable {
  let tensors: UnsafeMutablePointer<bk_tensor>
  let calls: UnsafeMutablePointer<bk_call>
  private let operands: UnsafeMutablePointer<UnsafePointer<bk_tensor>?>
  private let integers: UnsafeMutablePointer<Int64>
  private let floats: UnsafeMutablePointer<Double>

  /// Copies the graph's shapes, operands and attributes; all data pointers are null.
  init(_ graph: BackendGraph, host: HostServices) {
    tensors = .allocate(capacity: max(graph.tensors.count, 1))
    calls = .allocate(capacity: max(graph.nodes.count, 1))
    integers = .allocate(capacity: max(graph.nodes.count * Int(ESP_MAX_INTS), 1))
    floats = .allocate(capacity: max(graph.nodes.count * Int(ESP_MAX_FLOATS), 1))
    let operandCount = graph.nodes.reduce(0) { $0 + $1.inputs.count + $1.outputs.count }
    operands = .allocate(capacity: max(operandCount, 1))
    for (index, tensor) in graph.tensors.enumerated() {
      (tensors + index).initialize(to: bk_tensor(tensor))
    }
    var next = operands
    for (index, node) in graph.nodes.enumerated() {
      let inputs = next
      for tensor in node.inputs { append(tensor, at: &next) }
      let outputs = next
      for tensor in node.outputs { append(tensor, at: &next) }
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
    _ tensor: Int?, at next: inout UnsafeMutablePointer<UnsafePointer<bk_tensor>?>
  ) {
    next.initialize(to: tensor.map { UnsafePointer(tensors + $0) })
    next += 1
  }

  private func addCall(
    _ index: Int, _ node: GraphNode, inputs: UnsafePointer<UnsafePointer<bk_tensor>?>,
    outputs: UnsafePointer<UnsafePointer<bk_tensor>?>, host: HostServices
  ) {
    let i = integers + index * Int(ESP_MAX_INTS)
    let f = floats + index * Int(ESP_MAX_FLOATS)
    for (k, value) in node.integers.enumerated() { (i + k).initialize(to: Int64(value)) }
    for (k, value) in node.floats.enumerated() { (f + k).initialize(to: value) }
    (calls + index).initialize(
      to: bk_call(
        host: host.pointer, op: node.op, input_count: UInt32(node.inputs.count),
        output_count: UInt32(node.outputs.count), workers: UInt32(max(host.workerCount, 1)),
        inputs: inputs, outputs: outputs, i: UnsafePointer(i), f: UnsafePointer(f), workspace: nil,
        workspace_bytes: 0, copy: nil))
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

extension CallTable {
  /// The copy of its weight that would spare a node that can run some of its work.
  func copyOffer(of node: Int) -> CopyOffer? {
    guard let offer = bk_find_kernel(calls[node].op)?.pointee.copy?(calls + node), offer.bytes > 0
    else { return nil }
    return CopyOffer(
      operand: Int(offer.operand), form: offer.form, byteCount: offer.bytes,
      savedNanoseconds: UInt64(offer.saved_ns), makingNanoseconds: UInt64(offer.making_ns))
  }

  /// Fills the copies that are kept, one time where several nodes share a place; the weights have their places.
  func makeCopies(_ places: [Place?]) {
    var filled: Set<UnsafeMutableRawPointer> = []
    for (node, place) in places.enumerated() {
      guard let target = place?.address else { continue }
      if filled.insert(target).inserted {
        bk_find_kernel(calls[node].op)?.pointee.make_copy?(calls + node, target)
      }
      calls[node].copy = UnsafeRawPointer(target)
    }
  }
}

extension bk_tensor {
  fileprivate init(_ tensor: GraphTensor) {
    self.init()
    dtype = tensor.dtype
    role = tensor.role
    rank = Int32(tensor.dims.count)
    withUnsafeMutableBytes(of: &dims) {
      for (axis, size) in tensor.dims.enumerated() {
        $0.storeBytes(
          of: Int64(size), toByteOffset: axis * MemoryLayout<Int64>.stride, as: Int64.self)
      }
    }
  }
}
