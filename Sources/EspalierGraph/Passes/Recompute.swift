extension GraphBuilder {
  /// Gradient checkpointing: the backward pass recomputes the inside of each block from the block's inputs
  /// instead of keeping it. Source: Chen et al. 2016.
  ///
  /// What a block hands to the rest of the forward pass stays; everything else that its backward nodes read
  /// is computed again right before the first of them.
  func recomputeRegions() {
    var insertions: [Int: [Node]] = [:]
    for region in 0..<regionCount {
      let members = nodes.indices.filter { nodes[$0].region == region && !nodes[$0].isBackward }
      guard let plan = recomputation(of: members) else { continue }
      insertions[plan.position, default: []] += plan.clones
    }
    guard !insertions.isEmpty else { return }
    var result: [Node] = []
    for (position, node) in nodes.enumerated() {
      result += insertions[position] ?? []
      result.append(node)
    }
    nodes = result
  }

  /// Redirects the backward readers of one block to clones of its nodes.
  private func recomputation(of members: [Int]) -> (position: Int, clones: [Node])? {
    let inside = Set(members)
    var discarded = Set(
      members.flatMap { nodes[$0].outputs }.filter { tensors[$0].role != .output })
    var readers: [Int] = []
    for (position, node) in nodes.enumerated() where !inside.contains(position) {
      let read = node.inputs.compactMap(\.self).filter(discarded.contains)
      if read.isEmpty { continue }
      if node.isBackward { readers.append(position) } else { discarded.subtract(read) }
    }
    readers.removeAll { nodes[$0].inputs.allSatisfy { !($0.map(discarded.contains) ?? false) } }
    guard let first = readers.first else { return nil }

    var needed = Set(readers.flatMap { nodes[$0].inputs.compactMap(\.self) }).intersection(
      discarded)
    for position in members.reversed()
    where nodes[position].outputs.contains(where: needed.contains) {
      needed.formUnion(nodes[position].inputs.compactMap(\.self).filter(discarded.contains))
    }
    var replacement: [Int: Int] = [:]
    var clones: [Node] = []
    for position in members where nodes[position].outputs.contains(where: needed.contains) {
      var clone = nodes[position]
      clone.inputs = clone.inputs.map { $0.map { replacement[$0] ?? $0 } }
      clone.outputs = clone.outputs.map { output in
        tensors.append(tensors[output])
        tensors[tensors.count - 1].role = .temporary
        if discarded.contains(output) { replacement[output] = tensors.count - 1 }
        return tensors.count - 1
      }
      clone.path += " (recomputed)"
      clone.isBackward = true
      clones.append(clone)
    }
    for position in readers {
      nodes[position].inputs = nodes[position].inputs.map { $0.map { replacement[$0] ?? $0 } }
    }
    return (first, clones)
  }
}
