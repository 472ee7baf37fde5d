import EspalierABI
import Testing

/// An operation whose first output may take the place of an input of its size.
struct InPlaceCase: CustomTestStringConvertible {
  let name: String
  let operation: OperationCase

  var testDescription: String { name }

  static let all: [InPlaceCase] = {
    let shape = [2, 3, 5, 8]
    let x = Operand.random(shape, seed: 1)
    let other = Operand.random(shape, seed: 2)
    let gamma = Operand.random([8], seed: 3, offset: 1, isWeight: true)
    let beta = Operand.random([8], seed: 4, isWeight: true)
    let grouped = Operand.random([2, 4], seed: 5, scale: 0.1, offset: 1)
    let rows = Operand.random([2, 3, 5], seed: 6, scale: 0.1, offset: 1)
    let silu = Int64(ESP_ACT_SILU)
    let tokens = Operand.random([2, 150, 16], seed: 7)
    let keys = Operand.random([2, 150, 16], seed: 8)
    func make(
      _ name: String, _ code: Int32, _ inputs: [Operand?], _ outputs: [[Int]?],
      _ integers: [Int64] = [], _ floats: [Double] = []
    ) -> InPlaceCase {
      InPlaceCase(
        name: name,
        operation: OperationCase(
          code: code, inputs: inputs, outputs: outputs, integers: integers, floats: floats))
    }
    return [
      make("unary", ESP_OP_UNARY, [x], [shape], [silu]),
      make("unary backward", ESP_OP_UNARY_BACKWARD, [other, x], [shape], [silu]),
      make("scale", ESP_OP_SCALE, [x], [shape], [], [2, 1]),
      make("add", ESP_OP_ADD, [x, other], [shape], [0]),
      make("mul", ESP_OP_MUL, [x, other], [shape], [0]),
      make(
        "group norm", ESP_OP_GROUP_NORM, [x, gamma, beta], [shape, nil, nil], [silu, 4], [1e-5]),
      make(
        "group norm backward", ESP_OP_GROUP_NORM_BACKWARD,
        [other, x, grouped, grouped, gamma, beta, .random(shape, seed: 9)], [shape, [8], [8]],
        [silu, 4], [1e-5]),
      make("layer norm", ESP_OP_LAYER_NORM, [x, gamma, beta], [shape, nil, nil], [], [1e-5]),
      make(
        "layer norm backward", ESP_OP_LAYER_NORM_BACKWARD,
        [other, x, rows, rows, gamma, .random(shape, seed: 9)], [shape, [8], [8]]),
      make(
        "GEGLU backward", ESP_OP_GEGLU_BACKWARD, [.random([2, 3, 5, 4], seed: 10), x], [shape]),
      make(
        "attention", ESP_OP_ATTENTION, [tokens, keys, .random([2, 150, 16], seed: 9)],
        [[2, 150, 16], nil], [2, 0], [0.3]),
      make(
        "weighted error backward", ESP_OP_WEIGHTED_MSE_BACKWARD,
        [Operand([0.5], shape: [1]), x, other, Operand([1, 2], shape: [2])], [shape]),
      make(
        "linear", ESP_OP_LINEAR,
        [x, .random([8, 8], seed: 11, isWeight: true), beta, other], [shape], [silu]),
      make(
        "linear dx", ESP_OP_LINEAR_DX, [x, .random([8, 8], seed: 11, isWeight: true), other],
        [shape]),
      make(
        "convolution", ESP_OP_CONV2D,
        [x, .random([8, 8, 3, 3], seed: 12, isWeight: true), beta, nil, other], [shape],
        [silu, 1, 1, 1, 1, 1]),
      make(
        "convolution dx", ESP_OP_CONV2D_DX,
        [x, .random([8, 8, 3, 3], seed: 12, isWeight: true), other], [shape], [0, 1, 1, 1, 1, 1]),
    ]
  }()
}

@Suite struct InPlaceTests {
  @Test(arguments: BackendUnderTest.all, InPlaceCase.all)
  func `an output in the place of an input has the same bits`(
    backend: BackendUnderTest, example: InPlaceCase
  ) throws {
    let operation = example.operation
    let apart = try backend.run(operation)[0]
    for (k, operand) in operation.inputs.enumerated() {
      guard let operand, operand.shape == operation.outputs[0], !operand.isWeight else { continue }
      guard let found = try run(operation, over: k, on: backend) else { continue }
      #expect(found == apart, "in the place of input \(k)")
    }
  }

  @Test(arguments: BackendUnderTest.all)
  func `a veto is kept at compile`(backend: BackendUnderTest) throws {
    guard let example = InPlaceCase.all.first(where: { $0.name == "linear" }) else { return }
    let error = #expect(throws: BackendFailure.self) {
      _ = try run(example.operation, over: 0, on: backend, inSpiteOfVeto: true)
    }
    #expect(error?.message.contains("input 0") == true)
  }

  /// The first output of the operation in the place of input `k`, or nil where the backend vetoes it.
  private func run(
    _ operation: OperationCase, over k: Int, on backend: BackendUnderTest,
    inSpiteOfVeto: Bool = false
  ) throws -> [Double]? {
    let graph = GraphStorage()
    var bindings: [TestBinding] = []
    var weights: [TestBinding] = []
    var buffers: [TestBuffer] = []
    let sources = try operation.inputs.map { operand -> Int32 in
      guard let operand else { return -1 }
      let role = operand.isWeight ? ESP_ROLE_WEIGHT : ESP_ROLE_INPUT
      let tensor = graph.tensor(operand.shape, storage: operand.storage, role: role)
      let buffer = try backend.buffer(operand.bytes)
      buffers.append(buffer)
      if operand.isWeight {
        weights.append(binding(tensor, buffer))
      } else {
        bindings.append(binding(tensor, buffer))
      }
      return tensor
    }
    let shape = operation.outputs[0] ?? []
    let place = graph.tensor(shape, role: ESP_ROLE_TEMP)
    let inside = graph.tensor(shape, role: ESP_ROLE_TEMP)
    graph.node(ESP_OP_SCALE, [sources[k]], [place], floats: [1, 0])
    var inputs = sources
    inputs[k] = place
    var outputs = [inside]
    for shape in operation.outputs.dropFirst() {
      guard let shape else {
        outputs.append(-1)
        continue
      }
      let tensor = graph.tensor(shape, role: ESP_ROLE_OUTPUT)
      buffers.append(try backend.buffer([UInt8](repeating: 0, count: 4 * shape.reduce(1, *))))
      bindings.append(binding(tensor, buffers[buffers.count - 1]))
      outputs.append(tensor)
    }
    graph.node(
      operation.code, inputs, outputs, integers: operation.integers, floats: operation.floats)
    let result = graph.tensor(shape, role: ESP_ROLE_OUTPUT)
    graph.node(ESP_OP_SCALE, [inside], [result], floats: [1, 0])

    let analysis = try backend.analyze(graph)
    guard analysis.inPlaceVetoes[1] & (1 << UInt8(k)) == 0 || inSpiteOfVeto else { return nil }
    let bytes = 4 * shape.reduce(1, *)
    let scratchStart = (bytes + 255) / 256 * 256
    let scratch = analysis.workspaceBytes[1]
    let arena = try backend.buffer(
      [UInt8](repeating: 0xff, count: scratchStart + scratch), usage: ESP_USAGE_ARENA)
    let shared = TestPlacement(arena: arena, offset: 0, bytes: bytes)
    let executable = try backend.compile(
      graph, placements: [place: shared, inside: shared],
      workspaces: scratch == 0
        ? [:] : [1: TestPlacement(arena: arena, offset: scratchStart, bytes: scratch)],
      weights: weights)
    let target = try backend.buffer([UInt8](repeating: 0xff, count: bytes))
    try executable.execute(bindings + [binding(result, target)])
    return Operand.decode(try target.read(0..<bytes), as: .float32)
  }
}
