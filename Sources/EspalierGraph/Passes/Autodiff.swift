extension GraphBuilder {
  /// Appends the reverse-mode derivative of a loss.
  ///
  /// Walks only from the loss to `parameters`: a node upstream of none of them gets no cotangent, and an
  /// operation is asked only for the gradients that somebody needs.
  ///
  /// - Parameters:
  ///   - loss: The value `[1]` to differentiate.
  ///   - seed: The cotangent of the loss `[1]`: 1, or the loss scale over the accumulation steps.
  ///   - parameters: The states to differentiate by.
  /// - Returns: One gradient per parameter, of its shape.
  /// - Throws: `GraphError` for a shape fault, a parameter that the loss does not depend on, or an
  ///   operation without a derivative on the way.
  public func gradients(
    of loss: Value, seed: Value, by parameters: [(path: String, value: Value)]
  ) throws(GraphError) -> [Value] {
    try check()
    if options.fusion { fuseActivations() }
    let forwardCount = nodes.count
    let active = tensorsDownstream(of: parameters.compactMap(\.value.index))
    var cotangents: [Int: Value] = [:]
    if let index = loss.index { cotangents[index] = seed }
    for position in stride(from: forwardCount - 1, through: 0, by: -1) {
      try differentiate(nodes[position], active: active, cotangents: &cotangents)
    }
    derivativePath = nil
    for position in forwardCount..<nodes.count { nodes[position].isBackward = true }
    try check()
    var result: [Value] = []
    for parameter in parameters {
      guard let index = parameter.value.index, let gradient = cotangents[index] else {
        throw .noGradient(path: parameter.path)
      }
      result.append(gradient)
    }
    return result
  }

  /// Adds the cotangents of one node's inputs to `cotangents`.
  private func differentiate(
    _ node: Node, active: [Bool], cotangents: inout [Int: Value]
  ) throws(GraphError) {
    let needs = node.inputs.map { $0.map { active[$0] } ?? false }
    guard needs.contains(true), node.outputs.contains(where: { cotangents[$0] != nil }) else {
      return
    }
    derivativePath = node.path + " (backward)"
    let gradients = node.operation.vjp(
      VJPNode(
        inputs: node.inputs.map { $0.map { Value(graph: self, index: $0) } },
        outputs: node.outputs.map { Value(graph: self, index: $0) },
        cotangents: node.outputs.map { cotangents[$0] },
        needs: needs))
    for (position, input) in node.inputs.enumerated() where needs[position] {
      guard let input else { continue }
      guard let gradient = gradients[position] else {
        throw .notDifferentiable(path: node.path, operation: "\(node.operation.code)")
      }
      cotangents[input] = cotangents[input].map { $0 + gradient } ?? gradient
    }
  }

  /// For each tensor, whether it depends on any of these.
  private func tensorsDownstream(of sources: [Int]) -> [Bool] {
    var active = [Bool](repeating: false, count: tensors.count)
    for source in sources { active[source] = true }
    for node in nodes where node.inputs.contains(where: { $0.map { active[$0] } ?? false }) {
      for output in node.outputs { active[output] = true }
    }
    return active
  }
}
