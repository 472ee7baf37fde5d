extension GraphBuilder {
  /// Merges an activation into the group norm before it, and a ReLU into the convolution or linear map
  /// before it. Runs before differentiation, so the backward pass reads the norm's input alone instead of
  /// keeping its output too.
  func fuseActivations() {
    let uses = useCounts()
    let producers = producers()
    var removed = Set<Int>()
    for (position, node) in nodes.enumerated() {
      guard let unary = node.operation as? Unary, let input = node.inputs[0], uses[input] == 1,
        tensors[input].role == .temporary, let source = producers[input],
        let fused = nodes[source].operation.fusing(
          activation: unary.function, beforeDifferentiation: true, inputs: nodes[source].inputs)
      else { continue }
      nodes[source].operation = fused
      nodes[source].outputs[0] = node.outputs[0]
      removed.insert(position)
    }
    nodes = nodes.enumerated().filter { !removed.contains($0.offset) }.map(\.element)
  }

  /// Merges what remains after differentiation: activations, the time-embedding term and residual sums
  /// into convolutions and linear maps, and sums of gradients into the operations that make them.
  func fuseEpilogues() {
    var uses = useCounts()
    var producers = producers()
    var slots: [Node?] = nodes
    for position in nodes.indices {
      guard let node = slots[position] else { continue }
      for (operand, partner) in fusionOperands(of: node, producers: producers) {
        guard let tensor = node.inputs[operand], uses[tensor] == 1,
          tensors[tensor].role == .temporary, let source = producers[tensor],
          var fused = slots[source], fused.outputs[0] == tensor,
          fused.outputs.dropFirst().allSatisfy({ uses[$0] == 0 || tensors[$0].role == .output }),
          fused.absorb(node, partner: partner.flatMap { node.inputs[$0] })
        else { continue }
        uses[tensor] = 0
        fused.outputs[0] = node.outputs[0]
        slots[source] = nil
        slots[position] = fused
        for output in fused.outputs { producers[output] = position }
        break
      }
    }
    nodes = slots.compactMap(\.self)
  }

  /// The inputs of a node whose producers may absorb it, with the other operand; the one computed last
  /// first, since it moves least.
  private func fusionOperands(of node: Node, producers: [Int?]) -> [(operand: Int, partner: Int?)] {
    switch node.operation {
    case is Unary: return [(0, nil)]
    case let add as Add:
      if add.broadcast == .perSample { return [(0, 1)] }
      guard let a = node.inputs[0], let b = node.inputs[1], a != b,
        tensors[a].spec == tensors[b].spec
      else { return [] }
      return (producers[a] ?? -1) >= (producers[b] ?? -1) ? [(0, 1), (1, 0)] : [(1, 0), (0, 1)]
    default: return []
    }
  }
}

extension GraphBuilder.Node {
  /// Takes over the work of the node that reads this one's first output; `false` if it cannot.
  fileprivate mutating func absorb(_ user: GraphBuilder.Node, partner: Int?) -> Bool {
    if let unary = user.operation as? Unary {
      guard
        let fused = operation.fusing(
          activation: unary.function, beforeDifferentiation: false, inputs: inputs)
      else { return false }
      operation = fused
      return true
    }
    guard let partner, let add = user.operation as? Add else { return false }
    guard let slot = operation.slot(forAdding: add.broadcast, inputs: inputs) else { return false }
    inputs[slot] = partner
    return true
  }
}

extension Operation {
  /// This operation with an activation behind it, or `nil` if it cannot take one.
  fileprivate func fusing(
    activation: Activation, beforeDifferentiation: Bool, inputs: [Int?]
  ) -> (any Operation)? {
    if var norm = self as? GroupNorm, norm.activation == .none, activation == .silu {
      norm.activation = activation
      return norm
    }
    if beforeDifferentiation && activation != .relu { return nil }
    if var conv = self as? Conv2d, conv.activation == .none, inputs[4] == nil {
      conv.activation = activation
      return conv
    }
    if var linear = self as? Linear, linear.activation == .none, inputs[3] == nil {
      linear.activation = activation
      return linear
    }
    return nil
  }

  /// The free optional input that adds its value to the result, or `nil`.
  fileprivate func slot(forAdding broadcast: Broadcast, inputs: [Int?]) -> Int? {
    if broadcast == .perSample {
      guard let conv = self as? Conv2d, conv.activation == .none else { return nil }
      return inputs[3] == nil && inputs[4] == nil ? 3 : nil
    }
    let slot: Int
    switch self {
    case is Conv2d: slot = 4
    case is Linear: slot = 3
    case is Conv2dDX, is LinearDX: slot = 2
    case is GroupNormBackward: slot = 6
    case is LayerNormBackward: slot = 5
    default: return nil
    }
    return inputs[slot] == nil ? slot : nil
  }
}
