import EspalierGraph
import EspalierTensors
import Testing

/// A small network with frozen and trained parts: frozen stem → trained branch added → frozen tail.
private struct Network {
  let graph: GraphBuilder
  let loss: Value
  let parameters: [(path: String, value: Value)]

  init(options: GraphOptions = GraphOptions(fusion: false)) {
    let graph = GraphBuilder(options: options) { $0.hasPrefix("adapter.") }
    self.graph = graph
    let x = graph.input("x", [2, 6, 6, 4])
    let control = graph.input("control", [2, 6, 6, 3])
    let stem = graph.region {
      x.conv2d(
        weight: graph.parameter("stem.weight", [4, 4, 3, 3]), padding: Padding2D(1), path: "stem"
      )
      .silu()
    }
    let branch = control.conv2d(
      weight: graph.parameter("adapter.weight", [4, 3, 1, 1]),
      bias: graph.parameter("adapter.bias", [4]), path: "adapter")
    let joined = stem + branch
    let text = graph.input("text", [2, 5, 4])
    let tail = graph.region {
      let normed = joined.groupNorm(
        groups: 2, gamma: graph.parameter("norm.weight", [4]),
        beta: graph.parameter("norm.bias", [4]), epsilon: 1e-5, path: "norm"
      ).silu()
      let keys = text.linear(weight: graph.parameter("k.weight", [4, 4]), path: "k")
      let values = text.linear(weight: graph.parameter("v.weight", [4, 4]), path: "v")
      return normed.attention(keys: keys, values: values, heads: 2, path: "attention") + joined
    }
    loss =
      tail.weightedMSE(
        target: graph.input("target", [2, 6, 6, 4]), weight: graph.input("weights", [2])
      ).loss
    parameters = graph.trainablePaths.map { path in
      (path: path, value: graph.parameter(path, graph.parameterShapes[path] ?? []))
    }
  }

  func program() throws -> GraphProgram {
    let gradients = try graph.gradients(
      of: loss, seed: graph.input("seed", [1]), by: parameters)
    for (parameter, gradient) in zip(parameters, gradients) {
      graph.output("gradient/" + parameter.path, gradient)
    }
    graph.output("loss", loss)
    return try graph.lowered()
  }
}

@Suite("Autodiff") struct AutodiffTests {
  @Test func `gradients have the shapes of their parameters`() throws {
    let program = try Network().program()
    let outputs = program.tensors(.output)
    let shapes = outputs.mapValues { program.tensors[$0].spec.shape }
    #expect(shapes["gradient/adapter.weight"] == [4, 3, 1, 1])
    #expect(shapes["gradient/adapter.bias"] == [4])
  }

  @Test func `frozen weights and what is upstream of the first injection get no gradient`() throws {
    let program = try Network().program()
    let weightGradients = program.nodes.filter { [.conv2dDW, .linearDW].contains($0.code) }
    #expect(weightGradients.map(\.path) == ["adapter (backward)"])
    #expect(!program.nodes.contains { $0.isBackward && $0.path.hasPrefix("stem") })
    #expect(!program.nodes.contains { $0.isBackward && ["k", "v"].contains($0.path.prefix(1)) })
  }

  @Test func `frozen text asks attention for the query's gradient alone`() throws {
    let program = try Network().program()
    let backward = try #require(program.nodes.first { $0.code == .attentionBackward })
    #expect(backward.outputs.map { $0 == nil } == [false, true, true])
    let norm = try #require(program.nodes.first { $0.code == .groupNormBackward })
    #expect(norm.outputs.map { $0 == nil } == [false, true, true])
  }

  @Test func `fusion merges the norm's activation before differentiation`() throws {
    let program = try Network(options: GraphOptions()).program()
    #expect(!program.nodes.contains { $0.code == .unaryBackward })
    let norms = program.nodes.filter { $0.code == .groupNorm || $0.code == .groupNormBackward }
    #expect(norms.map { $0.integers[0] } == [1, 1])
  }

  @Test func `recomputing keeps nothing of a block but what it hands on`() throws {
    let plain = try Network().program()
    let recomputed = try Network(options: GraphOptions(fusion: false, recompute: true)).program()
    let count = { (program: GraphProgram, code: OperationCode) in
      program.nodes.filter { $0.code == code }.count
    }
    #expect(count(plain, .attention) == 1)
    #expect(count(recomputed, .attention) == 2)
    #expect(count(recomputed, .groupNorm) == 2)
    #expect(count(recomputed, .conv2d) == count(plain, .conv2d))
    // No backward node reads what a forward node inside the tail computed.
    let forward = Set(
      recomputed.nodes.filter {
        !$0.isBackward && ["norm", "attention", "k", "v"].contains($0.path)
      }
      .filter { $0.code != .add }
      .flatMap { $0.outputs.compactMap(\.self) })
    let read = Set(
      recomputed.nodes.filter(\.isBackward).flatMap { $0.inputs.compactMap(\.self) })
    #expect(forward.isDisjoint(with: read))
  }

  @Test func `a parameter that the loss does not reach is an error that names it`() {
    let graph = GraphBuilder { _ in true }
    let x = graph.input("x", [2, 4])
    let used = graph.parameter("used", [4, 4])
    let unused = graph.parameter("unused", [4, 4])
    let loss = x.linear(weight: used).weightedMSE(
      target: graph.input("t", [2, 4]), weight: graph.input("w", [2])
    ).loss
    #expect(throws: GraphError.noGradient(path: "unused")) {
      try graph.gradients(
        of: loss, seed: graph.input("seed", [1]), by: [("used", used), ("unused", unused)])
    }
  }
}
