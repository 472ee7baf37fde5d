import EspalierTensors

/// The work of a node as its shapes tell it: what shares of a machine's peak and estimates of time are made from.
public struct OperationCost: Sendable, Equatable {
  /// Multiplications and additions of matrix products, each counted as one.
  ///
  /// Convolutions count as their definition says, whatever a backend's algorithm saves. Everything that is not a product
  /// is limited by memory and counts nothing here.
  public var floatingPointOperations = 0.0
  /// Bytes of activations, states and gradients, each read or written once.
  public var activationBytes = 0.0
  /// Elements of frozen weights that are read; what they take depends on how they are stored.
  public var weightElements = 0.0

  public init() {}

  public static func + (a: Self, b: Self) -> Self {
    var sum = a
    sum.floatingPointOperations += b.floatingPointOperations
    sum.activationBytes += b.activationBytes
    sum.weightElements += b.weightElements
    return sum
  }
}

extension GraphProgram {
  /// The work of all nodes.
  public var cost: OperationCost { nodes.reduce(OperationCost()) { $0 + cost(of: $1) } }

  /// The work of one node of this program.
  public func cost(of node: Node) -> OperationCost {
    var cost = OperationCost()
    cost.floatingPointOperations = floatingPointOperations(of: node)
    for case .some(let index) in node.inputs + node.outputs {
      let tensor = tensors[index]
      if tensor.role == .weight {
        cost.weightElements += Double(tensor.spec.shape.count)
      } else {
        cost.activationBytes += Double(tensor.spec.byteCount)
      }
    }
    // Of a table only the rows that are asked for.
    if node.code == .embedding, let rows = shape(node.outputs.first) {
      cost.weightElements = Double(rows.count)
    }
    return cost
  }

  private func floatingPointOperations(of node: Node) -> Double {
    switch node.code {
    case .linear, .linearDX: rows(node.inputs[0]) * 2 * elements(node.inputs[1])
    // The weight's gradient has the weight's shape.
    case .linearDW: rows(node.inputs[0]) * 2 * elements(node.outputs[0])
    case .conv2d: rows(node.outputs[0]) * 2 * elements(node.inputs[1])
    case .conv2dDX: rows(node.inputs[0]) * 2 * elements(node.inputs[1])
    case .conv2dDW: rows(node.inputs[0]) * 2 * elements(node.outputs[0])
    case .attention: 2 * scores(node, queries: node.inputs[0], keys: node.inputs[1])
    case .attentionBackward: attentionBackward(node)
    default: 0
    }
  }

  /// Scores and their cotangent are computed again; then one product for the gradient of q and of k, and one for v.
  private func attentionBackward(_ node: Node) -> Double {
    let (dq, dk, dv) = (node.outputs[0] != nil, node.outputs[1] != nil, node.outputs[2] != nil)
    let products = 1 + (dq || dk ? 1 : 0) + [dq, dk, dv].count { $0 }
    return Double(products) * scores(node, queries: node.inputs[1], keys: node.inputs[2])
  }

  /// Operations of one product that has the shape of the scores, or sums over it.
  private func scores(_ node: Node, queries: Int?, keys: Int?) -> Double {
    guard let q = shape(queries), let k = shape(keys), q[0] > 0 else { return 0 }
    let isCausal = node.integers.count > 1 && node.integers[1] != 0
    let tokens = rows(keys) / Double(k[0])
    return 2 * Double(q.count) * tokens * (isCausal ? 0.5 : 1)
  }

  private func shape(_ tensor: Int??) -> Shape? {
    tensor.flatMap { $0 }.map { tensors[$0].spec.shape }
  }

  private func elements(_ tensor: Int?) -> Double { Double(shape(tensor)?.count ?? 0) }

  /// Of a matrix whose columns are the last axis.
  private func rows(_ tensor: Int?) -> Double {
    guard let shape = shape(tensor), shape.last > 0 else { return 0 }
    return Double(shape.count / shape.last)
  }
}
