import EspalierABI
import Testing

/// Two shapes and the operation's mode.
struct BroadcastShapes: CustomTestStringConvertible {
  let large: [Int]
  let small: [Int]
  var mode: Int64 = 0

  var testDescription: String { "\(large) and \(small), mode \(mode)" }

  /// The shapes that right-aligned repetition sees.
  var aligned: [Int] {
    guard mode == 1 else { return small }
    return [small[0]] + [Int](repeating: 1, count: large.count - 2) + [small[1]]
  }

  static let all = [
    BroadcastShapes(large: [3, 5, 7], small: [3, 5, 7]),
    BroadcastShapes(large: [3, 5, 7], small: [7]),
    BroadcastShapes(large: [3, 5, 7], small: [1]),
    BroadcastShapes(large: [3, 5, 7], small: []),
    BroadcastShapes(large: [3, 5, 7], small: [5, 1]),
    BroadcastShapes(large: [3, 5, 7], small: [3, 1, 7]),
    BroadcastShapes(large: [3, 5, 7], small: [3, 1, 1]),
    BroadcastShapes(large: [2, 3, 2, 5, 2, 3], small: [3, 1, 5, 1, 3]),
    BroadcastShapes(large: [2, 3, 2, 5, 2, 3], small: [2, 1, 2, 1, 2, 1]),
    BroadcastShapes(large: [2, 17_000], small: [17_000]),
    BroadcastShapes(large: [1, 33_000], small: [33_000]),
    BroadcastShapes(large: [700, 33], small: [33]),
    BroadcastShapes(large: [2, 3, 5, 7], small: [2, 7], mode: 1),
    BroadcastShapes(large: [3, 800, 5], small: [3, 5], mode: 1),
    BroadcastShapes(large: [4, 6], small: [4, 6], mode: 1),
  ]
}

@Suite struct BroadcastTests {
  @Test(arguments: BackendUnderTest.all, BroadcastShapes.all)
  func `add and mul repeat the second operand`(
    backend: BackendUnderTest, shapes: BroadcastShapes
  ) throws {
    for storage in [Operand.Storage.float32, .float16, .bfloat16] {
      let a = Operand.random(shapes.large, seed: 1)
      let b = Operand.random(
        shapes.small, seed: 2, storage: storage, isWeight: storage != .float32)
      let repeated = indices(of: shapes.large).map {
        b.values[repeatedOffset($0, of: shapes.aligned)]
      }
      let sum = try backend.run(
        OperationCase(
          code: ESP_OP_ADD, inputs: [a, b], outputs: [a.shape], integers: [shapes.mode]))
      let product = try backend.run(
        OperationCase(
          code: ESP_OP_MUL, inputs: [a, b], outputs: [a.shape], integers: [shapes.mode]))
      expectClose(sum[0], zip(a.values, repeated).map(+), within: Tolerance.elementwise)
      expectClose(product[0], zip(a.values, repeated).map(*), within: Tolerance.elementwise)
    }
  }

  @Test(arguments: BackendUnderTest.all, BroadcastShapes.all)
  func `sum_to adds up what add repeats`(
    backend: BackendUnderTest, shapes: BroadcastShapes
  ) throws {
    let x = Operand.random(shapes.large, seed: 3, offset: 0.5)
    var expected = [Double](repeating: 0, count: shapes.small.reduce(1, *))
    for (place, index) in indices(of: shapes.large).enumerated() {
      expected[repeatedOffset(index, of: shapes.aligned)] += x.values[place]
    }
    let y = try backend.run(
      OperationCase(
        code: ESP_OP_SUM_TO, inputs: [x], outputs: [shapes.small], integers: [shapes.mode]))
    expectClose(y[0], expected, within: Tolerance.elementwise)
  }

  @Test(arguments: BackendUnderTest.all)
  func `operands that do not fit are refused`(backend: BackendUnderTest) throws {
    let a = Operand.random([3, 5], seed: 4)
    for shape in [[5, 3], [3], [2, 3, 5], [4]] {
      let b = Operand.random(shape, seed: 5)
      #expect(
        try !backend.supports(
          OperationCase(code: ESP_OP_ADD, inputs: [a, b], outputs: [a.shape], integers: [0])))
    }
    #expect(
      try !backend.supports(
        OperationCase(code: ESP_OP_ADD, inputs: [a, nil], outputs: [a.shape], integers: [0])))
    #expect(
      try !backend.supports(
        OperationCase(code: ESP_OP_ADD, inputs: [a], outputs: [a.shape], integers: [0])))
  }
}
