import EspalierGraph
import EspalierTensors
import Testing

@Suite("GraphBuilder") struct GraphBuilderTests {
  @Test func `a shape fault names the layer path and both shapes`() throws {
    let graph = GraphBuilder()
    let scope = graph.scope("unet")["down_blocks"][1]["resnets"][0]["conv1"]
    let x = graph.input("x", [2, 8, 8, 4])
    let weight = scope.parameter("weight", [16, 5, 3, 3])
    let y = x.conv2d(weight: weight, padding: Padding2D(1), path: scope.path)
    graph.output("y", y.silu() + y)
    let error = #expect(throws: GraphError.self) { try graph.lowered() }
    let text = try #require(error?.description)
    #expect(text.contains("unet.down_blocks.1.resnets.0.conv1"))
    #expect(text.contains("conv2d of [2, 8, 8, 4], [16, 5, 3, 3]"))
    #expect(text.contains("x has 4 channels, the weight expects 5"))
  }

  @Test func `a poisoned value keeps answering and only the first fault is reported`() {
    let graph = GraphBuilder()
    let x = graph.input("x", [1, 6])
    let broken = x.linear(weight: graph.parameter("a.weight", [3, 5]), path: "a")
    let after = broken.linear(weight: graph.parameter("b.weight", [3, 9]), path: "b")
    #expect(after.shape[-1] == 0)
    #expect {
      try graph.check()
    } throws: { error in
      guard case GraphError.shape(let path, _, _, _) = error else { return false }
      return path == "a"
    }
  }

  @Test func `one parameter path has one shape`() {
    let graph = GraphBuilder()
    let first = graph.parameter("w", [2, 3])
    #expect(first.shape == [2, 3])
    _ = graph.parameter("w", [3, 2])
    #expect(throws: GraphError.parameterConflict(path: "w", shapes: [[2, 3], [3, 2]])) {
      try graph.check()
    }
  }

  @Test func `nodes that nobody reads are removed, and optional outputs with them`() throws {
    let graph = GraphBuilder()
    let x = graph.input("x", [2, 5, 8])
    let gamma = graph.parameter("gamma", [8])
    let norm = x.layerNorm(gamma: gamma, beta: graph.parameter("beta", [8]), epsilon: 1e-5)
    _ = norm.linear(weight: graph.parameter("unused.weight", [4, 8]))
    graph.output("y", norm)
    let program = try graph.lowered()
    #expect(program.nodes.map(\.code) == [.layerNorm])
    #expect(program.nodes[0].outputs.map { $0 == nil } == [false, true, true])
    #expect(Set(program.tensors(.weight).keys) == ["gamma", "beta"])
  }

  @Test func `an input handed out is copied`() throws {
    let graph = GraphBuilder()
    graph.output("y", graph.input("x", [3]))
    let program = try graph.lowered()
    #expect(program.nodes.map(\.code) == [.scale])
  }
}
