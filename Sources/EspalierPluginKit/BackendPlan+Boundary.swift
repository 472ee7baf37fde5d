import EspalierABI

extension BackendPlan {
  /// Resolves a plan of the host, and refuses one by which a node would write where it must not.
  ///
  /// Weights that a file left unaligned to their elements are copied.
  init(
    _ plan: UnsafePointer<esp_memory_plan>, _ graph: BackendGraph, _ analyses: [NodeAnalysis],
    on device: DeviceBox
  ) throws(PluginError) {
    let source = try PlanSource(plan, graph, device)
    var tensors: [Place?] = []
    tensors.reserveCapacity(graph.tensors.count)
    for index in graph.tensors.indices { tensors.append(try source.temporary(index)) }
    try source.bindWeights(&tensors)
    var workspaces: [Place?] = []
    workspaces.reserveCapacity(graph.nodes.count)
    for (index, node) in graph.nodes.enumerated() {
      let workspace = try source.workspace(index, byteCount: analyses[index].workspaceBytes)
      let check = OverlapCheck(index: index, node: node, tensors: tensors, workspace: workspace)
      try check.run(inPlaceInputs: analyses[index].inPlaceInputs)
      workspaces.append(workspace)
    }
    let copies = try source.copies(analyses)
    self.init(tensors: tensors, workspaces: workspaces, copies: copies)
  }
}

/// A plan as it came, with its arenas.
private struct PlanSource {
  /// An older host's is shorter, so it is never read as a whole.
  let table: UnsafePointer<esp_memory_plan>
  let graph: BackendGraph
  let device: DeviceBox
  private var arenas: [BufferBox] = []

  init(
    _ table: UnsafePointer<esp_memory_plan>, _ graph: BackendGraph, _ device: DeviceBox
  ) throws(PluginError) {
    self.table = table
    self.graph = graph
    self.device = device
    guard graph.tensors.isEmpty || table.pointee.tensors != nil,
      graph.nodes.isEmpty || table.pointee.workspaces != nil,
      table.pointee.weight_count == 0 || table.pointee.weights != nil
    else { throw .invalidArgument("the plan lacks its placements") }
    for index in 0..<Int(table.pointee.arena_count) {
      guard let handle = table.pointee.arenas?[index] else {
        throw .invalidArgument("the plan's arena \(index) is missing")
      }
      let arena = try device.buffer(handle, "arena \(index)")
      guard !arena.isReadOnly else {
        throw .invalidArgument("arena \(index) is read-only memory")
      }
      arenas.append(arena)
    }
  }

  /// The place of a temporary, or nil for a tensor that a binding places.
  func temporary(_ index: Int) throws(PluginError) -> Place? {
    let tensor = graph.tensors[index]
    guard tensor.role == ESP_ROLE_TEMP, tensor.root == index else { return nil }
    guard let place = table.pointee.tensors?[index], place.arena >= 0 else {
      throw .invalidArgument("the plan does not place tensor \(index)")
    }
    return try self.place(place, byteCount: tensor.byteCount, "tensor \(index)")
  }

  /// The place of a node's scratch, or nil where it needs none.
  func workspace(_ index: Int, byteCount: UInt64) throws(PluginError) -> Place? {
    guard byteCount > 0 else { return nil }
    guard let place = table.pointee.workspaces?[index], place.bytes >= byteCount, place.arena >= 0
    else {
      throw .atNode(
        index, graph.nodes[index].label, "the plan has less than its \(byteCount) bytes of scratch")
    }
    return try self.place(place, byteCount: byteCount, "the scratch of node \(index)")
  }

  private func place(
    _ place: esp_placement, byteCount: UInt64, _ what: String
  ) throws(PluginError) -> Place {
    guard arenas.indices.contains(Int(place.arena)) else {
      throw .invalidArgument("\(what) is in arena \(place.arena) of \(arenas.count)")
    }
    let arena = arenas[Int(place.arena)]
    guard arena.holds(byteCount, at: place.offset) else {
      throw .invalidArgument("\(what), \(byteCount) bytes at \(place.offset), leaves its arena")
    }
    guard place.offset.isMultiple(of: device.alignment) else {
      throw .invalidArgument("\(what) is not aligned to \(device.alignment) bytes")
    }
    return try arena.place(at: place.offset, byteCount: byteCount)
  }

  /// By node: the place of its copy, or nil where none is kept.
  func copies(_ analyses: [NodeAnalysis]) throws(PluginError) -> [Place?] {
    var places = [Place?](repeating: nil, count: graph.nodes.count)
    for copy in table.copies {
      let node = Int(copy.node)
      guard graph.nodes.indices.contains(node), let offer = analyses[node].copy else {
        throw .invalidArgument("the plan keeps a copy for node \(node), which offers none")
      }
      let what = "the copy of node \(node)"
      guard copy.bytes == offer.byteCount, places[node] == nil else {
        throw .invalidArgument(
          "\(what) has \(copy.bytes) bytes, expected one of \(offer.byteCount)")
      }
      let buffer = try device.buffer(copy.buffer, what)
      guard !buffer.isReadOnly, buffer.holds(copy.bytes, at: copy.offset) else {
        throw .invalidArgument("\(what) leaves its buffer, or that is read-only memory")
      }
      guard copy.offset.isMultiple(of: device.alignment) else {
        throw .invalidArgument("\(what) is not aligned to \(device.alignment) bytes")
      }
      places[node] = try buffer.place(at: copy.offset, byteCount: copy.bytes)
    }
    return places
  }

  /// Fills in the places of the weights.
  func bindWeights(_ tensors: inout [Place?]) throws(PluginError) {
    for binding in UnsafeBufferPointer(
      start: table.pointee.weights, count: Int(table.pointee.weight_count))
    {
      let index = Int(binding.tensor)
      guard graph.tensors.indices.contains(index), graph.tensors[index].role == ESP_ROLE_WEIGHT
      else { throw .invalidArgument("a weight binding names tensor \(index), which is no weight") }
      let tensor = graph.tensors[index]
      let buffer = try device.buffer(binding.buffer, "the buffer of weight \(index)")
      guard buffer.holds(tensor.byteCount, at: binding.offset) else {
        throw .invalidArgument(
          "weight \(index) needs \(tensor.byteCount) bytes at \(binding.offset), "
            + "its buffer has \(buffer.byteCount)")
      }
      if buffer.isAligned(to: tensor.elementByteCount, at: binding.offset) {
        tensors[index] = try buffer.place(at: binding.offset, byteCount: tensor.byteCount)
      } else if let copy = try buffer.copy(at: binding.offset, byteCount: tensor.byteCount) {
        tensors[index] = copy
      } else {
        throw .invalidArgument("weight \(index) is not aligned to its elements")
      }
    }
    for (index, tensor) in graph.tensors.enumerated()
    where tensor.role == ESP_ROLE_WEIGHT && tensors[index] == nil {
      throw .invalidArgument("weight \(index) is not bound")
    }
  }
}

/// Refuses a node whose outputs or scratch stand over something that it still needs.
private struct OverlapCheck {
  let index: Int
  let node: GraphNode
  /// By tensor; temporaries and weights.
  let tensors: [Place?]
  let workspace: Place?

  func run(inPlaceInputs: UInt32) throws(PluginError) {
    for (k, output) in node.outputs.enumerated() {
      guard let output, let place = tensors[output] else { continue }
      for (j, input) in node.inputs.enumerated() {
        guard let input, let other = tensors[input], place.overlaps(other) else { continue }
        let isSamePlace = place.offset == other.offset && place.byteCount == other.byteCount
        guard k == 0, isSamePlace, j < 32, inPlaceInputs & (1 << UInt32(j)) != 0 else {
          throw .atNode(
            index, node.label, "the plan puts its output \(k) over its input \(j)")
        }
      }
      for (j, earlier) in node.outputs[..<k].enumerated() {
        guard let earlier, let other = tensors[earlier], place.overlaps(other) else { continue }
        throw .atNode(index, node.label, "the plan puts its output \(k) over its output \(j)")
      }
    }
    guard let workspace else { return }
    for case .some(let operand) in node.inputs + node.outputs {
      guard let place = tensors[operand], place.overlaps(workspace) else { continue }
      throw .atNode(index, node.label, "the plan puts its scratch over an operand")
    }
  }
}

extension Place {
  /// True if some byte is in both; both are known to lie inside their buffers.
  fileprivate func overlaps(_ other: Place) -> Bool {
    buffer === other.buffer && offset < other.offset + other.byteCount
      && other.offset < offset + byteCount
  }
}
