import EspalierABI
import Testing

@Suite struct ElementwiseTests {
  @Test(arguments: BackendUnderTest.all, activations)
  func `an activation and its derivative match double precision`(
    backend: BackendUnderTest, act: Int32
  ) throws {
    var values = (0..<1201).map { Double($0 - 600) / 50 + 0.003 }
    values += [30, -30, 88, -88]
    let x = Operand(values, shape: [5, 241])
    let reference = x.values.map { activation(act, $0) }
    let y = try backend.run(
      OperationCase(
        code: ESP_OP_UNARY, inputs: [x], outputs: [x.shape], integers: [Int64(act)]))
    // Absolute, in the range of a network's activations.
    for (index, expected) in reference.enumerated() where abs(x.values[index]) <= 12.1 {
      let found = y[0]?[index] ?? .nan
      #expect(abs(found - expected) <= max(5e-7, 3e-7 * abs(expected)), "at \(x.values[index])")
    }
    let dy = Operand.random(x.shape, seed: 1)
    let dx = try backend.run(
      OperationCase(
        code: ESP_OP_UNARY_BACKWARD, inputs: [dy, x], outputs: [x.shape], integers: [Int64(act)]))
    let expected = zip(x.values, dy.values).map { x, dy in
      dy * (activation(act, x + 1e-6) - activation(act, x - 1e-6)) / 2e-6
    }
    expectClose(dx[0], expected, within: Tolerance.elementwise)
  }

  @Test(arguments: BackendUnderTest.all, activations)
  func `an activation keeps NaN`(backend: BackendUnderTest, act: Int32) throws {
    let x = Operand([Double](repeating: .nan, count: 19), shape: [19])
    let y = try backend.run(
      OperationCase(code: ESP_OP_UNARY, inputs: [x], outputs: [[19]], integers: [Int64(act)]))
    #expect(y[0]?.allSatisfy(\.isNaN) == true)
  }

  @Test(arguments: BackendUnderTest.all)
  func `scale multiplies and adds`(backend: BackendUnderTest) throws {
    let x = Operand.random([3, 37], seed: 2)
    let y = try backend.run(
      OperationCase(code: ESP_OP_SCALE, inputs: [x], outputs: [x.shape], floats: [-0.75, 2.5]))
    expectClose(y[0], x.values.map { -0.75 * $0 + 2.5 }, within: Tolerance.elementwise)
  }

  @Test(arguments: BackendUnderTest.all, [[1, 1], [2, 3, 5], [7, 37], [2, 1, 16_400]])
  func `GEGLU and its derivative match double precision`(
    backend: BackendUnderTest, shape: [Int]
  ) throws {
    let features = shape[shape.count - 1]
    let wide = Array(shape.dropLast()) + [2 * features]
    let x = Operand.random(wide, seed: 3, scale: 2)
    let dy = Operand.random(shape, seed: 4)
    let y = try backend.run(OperationCase(code: ESP_OP_GEGLU, inputs: [x], outputs: [shape]))
    let dx = try backend.run(
      OperationCase(code: ESP_OP_GEGLU_BACKWARD, inputs: [dy, x], outputs: [wide]))
    var expected = [Double](repeating: 0, count: dy.count)
    var slopes = [Double](repeating: 0, count: x.count)
    for index in expected.indices {
      let value = index / features * 2 * features + index % features
      let gate = value + features
      let (a, g, d) = (x.values[value], x.values[gate], dy.values[index])
      expected[index] = a * activation(ESP_ACT_GELU, g)
      slopes[value] = d * activation(ESP_ACT_GELU, g)
      slopes[gate] =
        d * a * (activation(ESP_ACT_GELU, g + 1e-6) - activation(ESP_ACT_GELU, g - 1e-6)) / 2e-6
    }
    expectClose(y[0], expected, within: Tolerance.elementwise)
    expectClose(dx[0], slopes, within: Tolerance.elementwise)
  }
}
