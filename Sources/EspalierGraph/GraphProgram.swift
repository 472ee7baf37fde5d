import EspalierTensors

/// A finished graph: flat, single assignment, in execution order. What a backend gets.
public struct GraphProgram: Sendable {
  public struct Tensor: Sendable {
    public let spec: TensorSpec
    public let role: TensorRole
    /// The name of an input, state or output, the path of a weight; empty for temporaries.
    public let name: String
    /// The state whose new content this is.
    public let aliasOf: Int?
  }

  public struct Node: Sendable {
    public let code: OperationCode
    /// Tensor indices; `nil` for an absent optional input.
    public let inputs: [Int?]
    /// Tensor indices; `nil` for an optional output that nobody reads.
    public let outputs: [Int?]
    public let integers: [Int64]
    public let floats: [Double]
    /// The layer path.
    public let path: String
    /// Inputs whose place the first output may take.
    public let inPlaceInputs: [Int]
    public let isBackward: Bool
  }

  public let tensors: [Tensor]
  public let nodes: [Node]
  /// Whether temporaries share memory.
  public let usesPlanner: Bool

  /// The indices of the tensors with a role, by name. An alias is listed under its state only.
  public func tensors(_ role: TensorRole) -> [String: Int] {
    var result: [String: Int] = [:]
    for (index, tensor) in tensors.enumerated() where tensor.role == role && tensor.aliasOf == nil {
      result[tensor.name] = index
    }
    return result
  }
}

extension GraphBuilder {
  /// Runs the passes and gives the finished graph; the builder is used up.
  ///
  /// - Throws: `GraphError`, the first fault recorded while building.
  public func lowered() throws(GraphError) -> GraphProgram {
    try check()
    removeDeadCode()
    if options.fusion { fuseActivations() }
    if options.recompute {
      recomputeRegions()
      removeDeadCode()
    }
    if options.fusion { fuseEpilogues() }
    return compacted()
  }

  /// Renumbers the tensors that are still used.
  private func compacted() -> GraphProgram {
    let uses = useCounts()
    var numbers: [Int: Int] = [:]
    var kept: [Tensor] = []
    func number(_ index: Int) -> Int {
      if let known = numbers[index] { return known }
      var tensor = tensors[index]
      if let state = tensor.aliasOf { tensor.aliasOf = number(state) }
      kept.append(tensor)
      numbers[index] = kept.count - 1
      return kept.count - 1
    }
    let flat = nodes.map { node in
      let isOptional = { (position: Int) in position > 0 || node.operation.hasOptionalResults }
      return GraphProgram.Node(
        code: node.operation.code,
        inputs: node.inputs.map { $0.map(number) },
        outputs: node.outputs.enumerated().map { position, output in
          uses[output] == 0 && isOptional(position) ? nil : number(output)
        },
        integers: node.operation.integers, floats: node.operation.floats, path: node.path,
        inPlaceInputs: node.operation.inPlaceInputs, isBackward: node.isBackward)
    }
    return GraphProgram(
      tensors: kept.map {
        GraphProgram.Tensor(spec: $0.spec, role: $0.role, name: $0.name, aliasOf: $0.aliasOf)
      },
      nodes: flat, usesPlanner: options.planner)
  }
}

extension Operation {
  /// True for the gradients that come as a set of which only some may be wanted.
  fileprivate var hasOptionalResults: Bool {
    self is GroupNormBackward || self is LayerNormBackward || self is AttentionBackward
  }
}
