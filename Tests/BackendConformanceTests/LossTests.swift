import EspalierABI
import Testing

@Suite struct LossTests {
  @Test(arguments: BackendUnderTest.all, [[3, 5, 7], [1, 4], [2, 9001, 3]])
  func `the weighted error and its gradient match double precision`(
    backend: BackendUnderTest, shape: [Int]
  ) throws {
    let prediction = Operand.random(shape, seed: 1)
    let target = Operand.random(shape, seed: 2)
    let weight = Operand.random([shape[0]], seed: 3, scale: 0.2, offset: 1)
    let dloss = Operand([0.37], shape: [1])
    let perSample = prediction.count / shape[0]
    var means = [Double](repeating: 0, count: shape[0])
    var slopes: [Double] = []
    for index in prediction.values.indices {
      let sample = index / perSample
      let difference = prediction.values[index] - target.values[index]
      means[sample] += difference * difference / Double(perSample)
      slopes.append(
        0.37 * 2 * weight.values[sample] * difference / Double(prediction.count))
    }
    let loss = zip(weight.values, means).reduce(0) { $0 + $1.0 * $1.1 } / Double(shape[0])
    let found = try backend.run(
      OperationCase(
        code: ESP_OP_WEIGHTED_MSE, inputs: [prediction, target, weight],
        outputs: [[1], [shape[0]]]))
    expectClose(found[0], [loss], within: Tolerance.elementwise)
    expectClose(found[1], means, within: Tolerance.elementwise)
    let single = try backend.run(
      OperationCase(
        code: ESP_OP_WEIGHTED_MSE, inputs: [prediction, target, weight], outputs: [[1], nil]))
    #expect(single[0] == found[0])
    // The gradient does not get the rounded 0.37.
    let rounded = dloss.values[0] / 0.37
    let gradient = try backend.run(
      OperationCase(
        code: ESP_OP_WEIGHTED_MSE_BACKWARD, inputs: [dloss, prediction, target, weight],
        outputs: [shape]))
    expectClose(gradient[0], slopes.map { $0 * rounded }, within: Tolerance.elementwise, floor: 0)
  }

  @Test(arguments: BackendUnderTest.all)
  func `the sum of squares covers all tensors and shows what is not finite`(
    backend: BackendUnderTest
  ) throws {
    let shapes = [[3], [40_001], [7, 7], [1], [16_384]]
    var tensors = shapes.enumerated().map { Operand.random($1, seed: UInt64($0)) }
    let expected = tensors.reduce(0) { $0 + dot($1.values, $1.values) }
    let run = { (tensors: [Operand]) in
      try backend.run(OperationCase(code: ESP_OP_SUM_SQUARES, inputs: tensors, outputs: [[1]]))[0]
    }
    expectClose(try run(tensors), [expected], within: Tolerance.elementwise)
    for bad in [Double.nan, .infinity, -.infinity] {
      var values = tensors[1].values
      values[40_000] = bad
      tensors[1] = Operand(values, shape: shapes[1])
      #expect(try run(tensors)?[0].isFinite == false)
    }
  }

  @Test(arguments: BackendUnderTest.all)
  func `AdamW follows its formula over several tensors and steps`(
    backend: BackendUnderTest
  ) throws {
    let shapes = [[5], [17_001], [3, 11]]
    let (lr, beta1, beta2, epsilon, decay, multiplier) = (1e-2, 0.9, 0.999, 1e-8, 0.1, 0.5)
    var states = shapes.enumerated().map { index, shape in
      [
        Operand.random(shape, seed: UInt64(10 + index)),
        Operand([Double](repeating: 0, count: shape.reduce(1, *)), shape: shape),
        Operand([Double](repeating: 0, count: shape.reduce(1, *)), shape: shape),
      ]
    }
    for step in 1...3 {
      let (first, second) = (1 - power(beta1, step), 1 - power(beta2, step))
      let scalars = Operand(
        [lr, beta1, beta2, epsilon, decay, first, second, multiplier]
          + [Double](repeating: 0, count: 8), shape: [16])
      let gradients = shapes.enumerated().map {
        Operand.random($1, seed: UInt64(100 * step + $0), scale: 0.1)
      }
      var operation = OperationCase(code: ESP_OP_ADAMW, inputs: [scalars], outputs: [])
      for (state, gradient) in zip(states, gradients) {
        let start = operation.inputs.count
        operation.inputs += [state[0], gradient, state[1], state[2]]
        for input in [start, start + 2, start + 3] {
          operation.states[operation.outputs.count] = input
          operation.outputs.append(state[0].shape)
        }
      }
      let found = try backend.run(operation)
      for n in states.indices {
        var (p, m, v) = (states[n][0].values, states[n][1].values, states[n][2].values)
        for k in p.indices {
          let g = gradients[n].values[k] * multiplier
          m[k] += (1 - beta1) * (g - m[k])
          v[k] = beta2 * v[k] + (1 - beta2) * g * g
          p[k] -= lr * decay * p[k]
          p[k] -= lr / first * m[k] / ((v[k] / second).squareRoot() + epsilon)
        }
        expectClose(found[3 * n], p, within: Tolerance.elementwise, "p")
        expectClose(found[3 * n + 1], m, within: Tolerance.elementwise, "m", floor: 0)
        expectClose(found[3 * n + 2], v, within: Tolerance.elementwise, "v", floor: 0)
        states[n] = try (0..<3).map { Operand(try #require(found[3 * n + $0]), shape: shapes[n]) }
      }
    }
  }
}

private func power(_ base: Double, _ exponent: Int) -> Double {
  (0..<exponent).reduce(1) { product, _ in product * base }
}
