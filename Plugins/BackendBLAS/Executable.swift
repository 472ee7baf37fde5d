import CBLASKernels
import EspalierABI
import Glibc

/// A compiled graph: every call prepared, every address known but those of the bindings.
// SAFETY: the host serialises calls on one executable.
final class Executable: @unchecked Sendable {
  private let device: Device
  private let table: CallTable
  private let runs: [@convention(c) (UnsafePointer<bk_call>) -> Void]
  private let labels: [String]
  /// Tensors that a binding must place at every execution, and what it has to hold.
  private let bound: [BoundTensor]
  /// Index into `bound` of a tensor, or -1.
  private let boundIndex: [Int]
  /// Per bound tensor, the number of the last execution that bound it.
  private var lastBound: [UInt64]
  private var executions: UInt64 = 0
  private let copies: [Buffer]

  /// A tensor placed by a binding, with the aliases that share its memory.
  private struct BoundTensor {
    let tensor: Int
    let bytes: UInt64
    let element: UInt64
    let isWritten: Bool
    let aliases: [Int]
  }

  /// - Throws: `BackendError` if the graph or the plan is wrong, or a node cannot run here.
  init(
    device: Device, graph: UnsafePointer<esp_graph>, plan: UnsafePointer<esp_memory_plan>
  ) throws(BackendError) {
    let checked = try CheckedGraph(graph)
    let placement = try Placement(checked, plan: plan)
    let table = CallTable(checked, host: device.host)
    self.device = device
    self.table = table
    labels = checked.nodes.map { String(cString: $0.label) }
    runs = try Self.prepareNodes(table, placement, labels: labels)
    for tensor in checked.tensors.indices {
      if let address = try placement.address(of: tensor) { table.tensors[tensor].data = address }
    }
    copies = try Self.bindWeights(table, checked, plan.pointee, ledger: device.ledger)
    bound = Self.boundTensors(of: checked)
    var boundIndex = [Int](repeating: -1, count: checked.tensors.count)
    for (index, entry) in bound.enumerated() { boundIndex[entry.tensor] = index }
    self.boundIndex = boundIndex
    lastBound = [UInt64](repeating: 0, count: bound.count)
  }

  private static func prepareNodes(
    _ table: CallTable, _ placement: Placement, labels: [String]
  ) throws(BackendError) -> [@convention(c) (UnsafePointer<bk_call>) -> Void] {
    var runs: [@convention(c) (UnsafePointer<bk_call>) -> Void] = []
    for node in 0..<table.nodeCount {
      if let reason = table.objection(to: node) {
        throw .unsupported(node: node, label: labels[node], reason: reason)
      }
      guard let kernel = bk_find_kernel(table.calls[node].op) else { continue }
      let bytes = table.workspaceBytes(of: node)
      try placement.checkOverlaps(of: node, workspace: bytes)
      table.calls[node].workspace = try placement.workspace(of: node, bytes: bytes)
      table.calls[node].workspace_bytes = bytes
      runs.append(kernel.pointee.run)
    }
    return runs
  }

  /// Points the weights into their buffers; copies those that a file left unaligned.
  private static func bindWeights(
    _ table: CallTable, _ graph: CheckedGraph, _ plan: esp_memory_plan, ledger: MemoryLedger
  ) throws(BackendError) -> [Buffer] {
    var copies: [Buffer] = []
    for index in 0..<Int(plan.weight_count) {
      guard let binding = plan.weights?[index] else { continue }
      let tensor = Int(binding.tensor)
      guard graph.tensors.indices.contains(tensor), graph.tensors[tensor].role == ESP_ROLE_WEIGHT
      else { throw .invalid("weight binding \(index) names tensor \(tensor), which is no weight") }
      let buffer = object(Buffer.self, binding.buffer)
      guard buffer.holds(graph.bytes[tensor], at: binding.offset) else {
        throw .invalid(
          "weight \(tensor) needs \(graph.bytes[tensor]) bytes at \(binding.offset), "
            + "its buffer has \(buffer.bytes)")
      }
      var address = buffer.base + Int(binding.offset)
      let element = CheckedGraph.elementBytes(graph.tensors[tensor].dtype) ?? 4
      if UInt(bitPattern: address) % UInt(element) != 0 {
        let copy = try Buffer(bytes: graph.bytes[tensor], ledger: ledger)
        try copy.write(address, bytes: graph.bytes[tensor], at: 0)
        copies.append(copy)
        address = copy.base
      }
      table.tensors[tensor].data = address
    }
    for tensor in graph.tensors.indices
    where graph.tensors[tensor].role == ESP_ROLE_WEIGHT && table.tensors[tensor].data == nil {
      throw .invalid("weight \(tensor) is not bound")
    }
    return copies
  }

  private static func boundTensors(of graph: CheckedGraph) -> [BoundTensor] {
    var aliases: [Int: [Int]] = [:]
    for (index, root) in graph.roots.enumerated() where root != index {
      aliases[root, default: []].append(index)
    }
    return graph.tensors.indices.compactMap { tensor in
      let role = graph.tensors[tensor].role
      let isBound = role == ESP_ROLE_INPUT || role == ESP_ROLE_STATE || role == ESP_ROLE_OUTPUT
      guard isBound, graph.roots[tensor] == tensor else { return nil }
      let shared = aliases[tensor] ?? []
      return BoundTensor(
        tensor: tensor, bytes: graph.bytes[tensor],
        element: CheckedGraph.elementBytes(graph.tensors[tensor].dtype) ?? 4,
        isWritten: role == ESP_ROLE_OUTPUT || !shared.isEmpty, aliases: shared)
    }
  }

  /// Runs all nodes in order and returns when they are done.
  func execute(
    _ bindings: UnsafeBufferPointer<esp_binding>, options: UnsafePointer<esp_run_options>?
  ) throws(BackendError) {
    executions += 1
    for binding in bindings { try bind(binding) }
    for (index, entry) in bound.enumerated() where lastBound[index] != executions {
      throw .invalid("tensor \(entry.tensor) is not bound")
    }
    let host = device.host
    let timed = options?.pointee.node_timed
    let context = options?.pointee.context
    var begin = timed == nil ? 0 : nanoseconds()
    for node in runs.indices {
      if host.isCancelled { throw .cancelled(node: node, label: labels[node]) }
      runs[node](table.calls + node)
      guard let timed else { continue }
      let end = nanoseconds()
      timed(context, Int32(node), begin, end)
      begin = nanoseconds()
    }
  }

  private func bind(_ binding: esp_binding) throws(BackendError) {
    let tensor = Int(binding.tensor)
    guard boundIndex.indices.contains(tensor) else {
      throw .invalid("a binding names tensor \(tensor) of \(boundIndex.count)")
    }
    let index = boundIndex[tensor]
    guard index >= 0 else {
      throw .invalid("tensor \(tensor) takes no binding")
    }
    let entry = bound[index]
    let buffer = object(Buffer.self, binding.buffer)
    guard buffer.holds(entry.bytes, at: binding.offset) else {
      throw .invalid(
        "tensor \(tensor) needs \(entry.bytes) bytes at \(binding.offset), "
          + "its buffer has \(buffer.bytes)")
    }
    guard !(entry.isWritten && buffer.isImported) else {
      throw .invalid("tensor \(tensor) is written, its buffer is read-only")
    }
    let address = buffer.base + Int(binding.offset)
    guard UInt(bitPattern: address) % UInt(entry.element) == 0 else {
      throw .invalid("tensor \(tensor) is not aligned to its elements")
    }
    table.tensors[tensor].data = address
    for alias in entry.aliases { table.tensors[alias].data = address }
    lastBound[index] = executions
  }

  private func nanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
  }
}
