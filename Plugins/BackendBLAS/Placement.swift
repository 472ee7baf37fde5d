import CBLASKernels
import EspalierABI

/// Resolves a memory plan to addresses, and refuses one that would let a kernel write where it must not.
struct Placement {
  let graph: CheckedGraph
  let plan: esp_memory_plan
  private let arenas: [Buffer]

  init(_ graph: CheckedGraph, plan: UnsafePointer<esp_memory_plan>) throws(BackendError) {
    self.graph = graph
    self.plan = plan.pointee
    var arenas: [Buffer] = []
    for index in 0..<Int(plan.pointee.arena_count) {
      guard let arena = plan.pointee.arenas?[index] else {
        throw .invalid("the plan's arena \(index) is missing")
      }
      let buffer = object(Buffer.self, arena)
      guard !buffer.isImported else { throw .invalid("arena \(index) is read-only memory") }
      arenas.append(buffer)
    }
    self.arenas = arenas
    guard graph.tensors.isEmpty || plan.pointee.tensors != nil,
      graph.nodes.isEmpty || plan.pointee.workspaces != nil,
      plan.pointee.weight_count == 0 || plan.pointee.weights != nil
    else { throw .invalid("the plan lacks its placements") }
  }

  /// The address of a temporary, or nil for a tensor that a binding places.
  func address(of tensor: Int) throws(BackendError) -> UnsafeMutableRawPointer? {
    let role = graph.tensors[tensor].role
    guard role == ESP_ROLE_TEMP, graph.roots[tensor] == tensor else { return nil }
    guard let place = plan.tensors?[tensor], place.arena >= 0 else {
      throw .invalid("the plan does not place tensor \(tensor)")
    }
    return try address(in: place, bytes: graph.bytes[tensor], what: "tensor \(tensor)")
  }

  /// The address of a node's scratch, or nil where it needs none.
  func workspace(of node: Int, bytes: UInt64) throws(BackendError) -> UnsafeMutableRawPointer? {
    guard bytes > 0 else { return nil }
    guard let place = plan.workspaces?[node], place.bytes >= bytes, place.arena >= 0 else {
      throw .node(
        node, label: String(cString: graph.nodes[node].label),
        reason: "the plan has less than its \(bytes) bytes of scratch")
    }
    return try address(in: place, bytes: bytes, what: "the scratch of node \(node)")
  }

  private func address(
    in place: esp_placement, bytes: UInt64, what: String
  ) throws(BackendError) -> UnsafeMutableRawPointer {
    guard arenas.indices.contains(Int(place.arena)) else {
      throw .invalid("\(what) is in arena \(place.arena) of \(arenas.count)")
    }
    let arena = arenas[Int(place.arena)]
    guard arena.holds(bytes, at: place.offset) else {
      throw .invalid("\(what), \(bytes) bytes at \(place.offset), leaves its arena")
    }
    let address = arena.base + Int(place.offset)
    guard UInt(bitPattern: address) % UInt(Device.alignment) == 0 else {
      throw .invalid("\(what) is not aligned to \(Device.alignment) bytes")
    }
    return address
  }

  /// Refuses a node whose outputs or scratch overlap something that it still reads.
  func checkOverlaps(of node: Int, workspace: UInt64) throws(BackendError) {
    let description = graph.nodes[node]
    let allowed = bk_find_kernel(description.op)?.pointee.inplace ?? 0
    let inputs = CheckedGraph.inputs(of: description)
    var written: [esp_placement] = []
    for (k, output) in CheckedGraph.outputs(of: description).enumerated() where output != -1 {
      guard let place = placement(of: Int(output)) else { continue }
      for (j, input) in inputs.enumerated() where input != -1 {
        guard let other = placement(of: Int(input)), overlap(place, other) else { continue }
        let isSamePlace = place.offset == other.offset && place.bytes == other.bytes
        guard k == 0, isSamePlace, j < 31, allowed & (1 << Int32(j)) != 0 else {
          throw .node(
            node, label: String(cString: description.label),
            reason: "the plan puts its output \(k) over its input \(j)")
        }
      }
      written.append(place)
    }
    guard workspace > 0, let scratch = plan.workspaces?[node] else { return }
    for input in inputs where input != -1 {
      if let place = placement(of: Int(input)) { written.append(place) }
    }
    for place in written where overlap(place, scratch) {
      throw .node(
        node, label: String(cString: description.label),
        reason: "the plan puts its scratch over an operand")
    }
  }

  /// Where a temporary lies, with its real size.
  private func placement(of tensor: Int) -> esp_placement? {
    guard graph.tensors[tensor].role == ESP_ROLE_TEMP, graph.roots[tensor] == tensor,
      var place = plan.tensors?[tensor]
    else { return nil }
    place.bytes = graph.bytes[tensor]
    return place
  }

  private func overlap(_ a: esp_placement, _ b: esp_placement) -> Bool {
    a.arena == b.arena && a.offset < b.offset &+ b.bytes && b.offset < a.offset &+ a.bytes
  }
}
