import EspalierGraph
import EspalierTensors
import Testing

@Suite("OperationCost") struct OperationCostTests {
  /// The cost of a graph of frozen weights, without fusion.
  private func cost(_ build: (GraphBuilder) -> Value) throws -> OperationCost {
    let graph = GraphBuilder(options: GraphOptions(fusion: false))
    graph.output("y", build(graph))
    return try graph.lowered().cost
  }

  @Test func `a linear map takes two operations for each weight and row`() throws {
    let cost = try cost {
      $0.input("x", [2, 7, 5]).linear(
        weight: $0.parameter("w", [3, 5]), bias: $0.parameter("b", [3]))
    }
    let products = 14 * 5 * 3
    #expect(Int(cost.floatingPointOperations) == 2 * products)
    #expect(Int(cost.activationBytes) == 4 * 14 * 8)
    #expect(cost.weightElements == 15 + 3)
  }

  @Test func `a convolution counts the pixels of its result`() throws {
    let cost = try cost {
      $0.input("x", [1, 8, 6, 4]).conv2d(
        weight: $0.parameter("w", [10, 4, 3, 3]), stride: 2, padding: Padding2D(1))
    }
    let (pixels, weights) = (4 * 3, 10 * 4 * 9)
    #expect(Int(cost.floatingPointOperations) == 2 * pixels * weights)
  }

  @Test func `attention multiplies twice, with a causal mask half of it`() throws {
    for isCausal in [false, true] {
      let cost = try cost {
        let q = $0.input("q", [2, 6, 8])
        let k = $0.input("k", [2, 5, 8])
        return q.attention(keys: k, values: k, heads: 2, isCausal: isCausal)
      }
      let products = 2 * 6 * 5 * 8
      #expect(Int(cost.floatingPointOperations) == (isCausal ? 2 : 4) * products)
      #expect(cost.weightElements == 0)
    }
  }

  @Test func `the way back to a trained weight costs as much again for each gradient`() throws {
    let graph = GraphBuilder(options: GraphOptions(fusion: false)) { $0.hasPrefix("a.") }
    let x = graph.input("x", [4, 5])
    let first = graph.parameter("a.w", [6, 5])
    let h = x.linear(weight: first)
    let y = h.linear(weight: graph.parameter("b.w", [3, 6]))
    let (loss, _) = y.weightedMSE(
      target: graph.input("t", [4, 3]), weight: graph.input("s", [4]))
    let gradient = try graph.gradients(
      of: loss, seed: graph.input("seed", [1]), by: [(path: "a.w", value: first)])[0]
    graph.output("g", gradient)
    let operations = try graph.lowered().cost.floatingPointOperations
    // Forward both; back through the frozen second map, then the first one's own gradient.
    let maps: Int = 4 * 5 * 6 + 4 * 6 * 3
    #expect(Int(operations) == 4 * maps)
  }

  @Test func `a frozen context takes no part in attention's way back`() throws {
    func operations(trainsKeys: Bool) throws -> Double {
      let graph = GraphBuilder(options: GraphOptions(fusion: false)) { $0.hasPrefix("a.") }
      let w = graph.parameter("a.w", [8, 8])
      let x = graph.input("x", [1, 6, 8])
      let q = x.linear(weight: w)
      let k = trainsKeys ? q : x
      let y = q.attention(keys: k, values: k, heads: 1)
      let (loss, _) = y.weightedMSE(
        target: graph.input("t", [1, 6, 8]), weight: graph.input("s", [1]))
      graph.output(
        "g",
        try graph.gradients(
          of: loss, seed: graph.input("seed", [1]), by: [(path: "a.w", value: w)])[0])
      return try graph.lowered().cost.floatingPointOperations
    }
    let product: Double = 2 * 6 * 6 * 8
    let linear: Double = 2 * 2 * 6 * 8 * 8
    #expect(try operations(trainsKeys: false) == linear + 5 * product)
    #expect(try operations(trainsKeys: true) == linear + 7 * product)
  }

  @Test func `a table counts the rows that are read`() throws {
    let cost = try cost {
      $0.input("ids", [1, 7], dtype: .int32).embedded(in: $0.parameter("table", [1000, 16]))
    }
    #expect(cost.weightElements == 7 * 16)
  }
}
