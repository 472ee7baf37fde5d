extension GraphBuilder {
  /// Removes the nodes whose results nobody uses.
  func removeDeadCode() {
    var live = tensors.map { $0.role == .output }
    var kept: [Node] = []
    for node in nodes.reversed() where node.outputs.contains(where: { live[$0] }) {
      for input in node.inputs { if let input { live[input] = true } }
      kept.append(node)
    }
    nodes = kept.reversed()
  }

  /// How often each tensor is read by nodes or handed out.
  func useCounts() -> [Int] {
    var counts = tensors.map { $0.role == .output ? 1 : 0 }
    for node in nodes {
      for input in node.inputs { if let input { counts[input] += 1 } }
    }
    return counts
  }

  /// The position of the node that computes each tensor.
  func producers() -> [Int?] {
    var result = [Int?](repeating: nil, count: tensors.count)
    for (position, node) in nodes.enumerated() {
      for output in node.outputs { result[output] = position }
    }
    return result
  }
}
