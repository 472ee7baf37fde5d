import EspalierABI

extension ConformanceBackend {
  /// Output 0 of an operation that is put in the place of input `k`, both being temporaries.
  ///
  /// - Parameter inSpiteOfVeto: Compiles such a plan even if the backend said that it will not have it.
  /// - Returns: The bits; nil where the backend vetoes the place or fuses the temporaries away.
  /// - Throws: `BackendFailure`.
  public func runInPlace(
    _ call: OperationCall, of k: Int, inSpiteOfVeto: Bool = false
  ) throws -> [UInt8]? {
    guard let output = call.outputs.first ?? nil else { return nil }
    let chain = try InPlaceChain(self, call, output, k)
    let analysis = try analyze(chain.graph)
    let isVetoed = analysis.inPlaceVetoes[1] & (1 << UInt8(k)) != 0
    if isVetoed && !inSpiteOfVeto || analysis.vanishes.contains(true) { return nil }
    return try chain.run(on: self, scratch: analysis.workspaceBytes[1])
  }
}

/// Copy, the operation, copy: the operation's operands in the middle are temporaries.
private struct InPlaceChain {
  let graph = GraphStorage()
  private let place, inside, result: Int32
  private let byteCount: Int
  private var bindings: [Binding] = []
  private var weights: [Binding] = []

  init(
    _ backend: ConformanceBackend, _ call: OperationCall, _ output: OperationCall.Output, _ k: Int
  ) throws {
    byteCount = output.byteCount
    var inputs: [Int32] = []
    for operand in call.inputs {
      guard let operand else {
        inputs.append(-1)
        continue
      }
      let tensor = graph.tensor(
        operand.shape, storage: operand.storage, role: operand.role.code)
      let memory = try backend.memory(operand.bytes, usage: operand.role.usage)
      if operand.role == .weight {
        weights.append(Binding(tensor, memory))
      } else {
        bindings.append(Binding(tensor, memory))
      }
      inputs.append(tensor)
    }
    func temporary(_ graph: GraphStorage, _ role: Int32) -> Int32 {
      graph.tensor(output.shape, storage: output.storage, role: role)
    }
    place = temporary(graph, ESP_ROLE_TEMP)
    inside = temporary(graph, ESP_ROLE_TEMP)
    graph.node(ESP_OP_SCALE, [inputs[k]], [place], floats: [1, 0])
    inputs[k] = place
    var outputs = [inside]
    for other in call.outputs.dropFirst() {
      guard let other else {
        outputs.append(-1)
        continue
      }
      let tensor = graph.tensor(other.shape, storage: other.storage, role: ESP_ROLE_OUTPUT)
      bindings.append(
        Binding(tensor, try backend.memory([UInt8](repeating: 0, count: other.byteCount))))
      outputs.append(tensor)
    }
    graph.node(
      call.operation.rawValue, inputs, outputs, integers: call.integers, floats: call.floats)
    result = temporary(graph, ESP_ROLE_OUTPUT)
    graph.node(ESP_OP_SCALE, [inside], [result], floats: [1, 0])
  }

  func run(on backend: ConformanceBackend, scratch: Int) throws -> [UInt8] {
    let edge = backend.guardBytes
    let start = (byteCount + edge - 1) / edge * edge
    let arena = try backend.arena([UInt8](repeating: 0xff, count: start + scratch))
    let shared = Placement(arena: arena, offset: 0, bytes: byteCount)
    let executable = try backend.compile(
      graph, placements: [place: shared, inside: shared],
      workspaces: scratch == 0
        ? [:] : [1: Placement(arena: arena, offset: start, bytes: scratch)],
      weights: weights)
    let target = try backend.memory([UInt8](repeating: 0xff, count: byteCount))
    try executable.execute(bindings + [Binding(result, target)])
    return try target.read(0..<byteCount)
  }
}
