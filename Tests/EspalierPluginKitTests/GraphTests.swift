import EspalierABI
import EspalierConformance
import EspalierPluginKit
import Testing

@Suite struct GraphTests {
  @Test func `a graph is copied whole`() throws {
    let storage = GraphStorage()
    let state = storage.tensor([2, 3], storage: .bfloat16, role: ESP_ROLE_STATE)
    let scalar = storage.tensor([], role: ESP_ROLE_INPUT)
    let first = storage.tensor(
      [3, 2], storage: .bfloat16, role: ESP_ROLE_TEMP, aliasOf: state)
    let second = storage.tensor(
      [6], storage: .bfloat16, role: ESP_ROLE_OUTPUT, aliasOf: first)
    storage.node(7, [state, -1, scalar], [-1, first], integers: [-1, .max], floats: [0.5])
    storage.node(8, [first], [second])
    let graph = try BackendGraph(storage.finish())
    #expect(graph.tensors.map(\.dims) == [[2, 3], [], [3, 2], [6]])
    #expect(graph.tensors.map(\.root) == [0, 1, 0, 0])
    #expect(graph.tensors.map(\.elementCount) == [6, 1, 6, 6])
    #expect(graph.tensors.map(\.byteCount) == [12, 4, 12, 12])
    #expect(graph.tensors.map(\.elementByteCount) == [2, 4, 2, 2])
    #expect(graph.tensors.map(\.role) == storage.roles)
    #expect(graph.nodes.map(\.op) == [7, 8])
    #expect(graph.nodes[0].inputs == [0, nil, 1] && graph.nodes[0].outputs == [nil, 2])
    #expect(graph.nodes[0].integers == [-1, .max] + [Int](repeating: 0, count: 14))
    #expect(graph.nodes[0].floats == [0.5] + [Double](repeating: 0, count: 7))
    #expect(graph.nodes[0].label == "layer.under.test")
  }

  /// What the conformance suite does not try.
  static let faults: [(words: String, make: @Sendable (GraphStorage) -> Void)] = [
    (
      "not a state or an input",
      {
        let root = $0.tensor([1], role: ESP_ROLE_TEMP)
        $0.tensor([1], role: ESP_ROLE_TEMP, aliasOf: root)
      }
    ),
    (
      "differs in size",
      {
        let root = $0.tensor([2], role: ESP_ROLE_STATE)
        $0.tensor([3], role: ESP_ROLE_OUTPUT, aliasOf: root)
      }
    ),
    (
      "differs in size",
      {
        let root = $0.tensor([2], storage: .float16, role: ESP_ROLE_STATE)
        $0.tensor([2], storage: .bfloat16, role: ESP_ROLE_OUTPUT, aliasOf: root)
      }
    ),
    (
      "a weight and an alias",
      {
        let root = $0.tensor([2], role: ESP_ROLE_STATE)
        $0.tensor([2], role: ESP_ROLE_WEIGHT, aliasOf: root)
      }
    ),
    (
      "alias of no tensor",
      {
        $0.tensor([2], role: ESP_ROLE_STATE, aliasOf: 1)
        $0.tensor([2], role: ESP_ROLE_STATE, aliasOf: 0)
      }
    ),
    (
      "before anything wrote it",
      {
        let root = $0.tensor([2], role: ESP_ROLE_STATE)
        let new = $0.tensor([2], role: ESP_ROLE_OUTPUT, aliasOf: root)
        let result = $0.tensor([2], role: ESP_ROLE_OUTPUT)
        $0.node(ESP_OP_SCALE, [new], [result])
      }
    ),
  ]

  @Test(arguments: faults.indices)
  func `a graph that makes no sense is refused in words`(fault: Int) throws {
    let storage = GraphStorage()
    Self.faults[fault].make(storage)
    let error = #expect(throws: PluginError.self) { try BackendGraph(storage.finish()) }
    #expect(error?.code == ESP_INVALID_ARGUMENT)
    #expect(error?.message.contains(Self.faults[fault].words) == true, "\(error?.message ?? "")")
  }

  @Test func `a type that nobody knows is refused`() {
    var tensor = esp_tensor()
    tensor.dtype = 9
    tensor.alias_of = -1
    let error = #expect(throws: PluginError.self) {
      try withUnsafePointer(to: &tensor) { tensor in
        var graph = esp_graph()
        graph.tensor_count = 1
        graph.tensors = tensor
        return try BackendGraph(&graph)
      }
    }
    #expect(error?.message == "tensor 0 has the unknown type 9")
  }

  @Test func `a graph without its arrays is refused`() {
    var graph = esp_graph()
    graph.tensor_count = 1
    #expect(throws: PluginError.self) { try BackendGraph(&graph) }
    graph.tensor_count = 0
    graph.node_count = 1
    #expect(throws: PluginError.self) { try BackendGraph(&graph) }
    graph.node_count = 0
    #expect(throws: Never.self) { try BackendGraph(&graph) }
  }
}
