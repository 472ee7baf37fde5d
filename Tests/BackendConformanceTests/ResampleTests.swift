import EspalierABI
import Testing

@Suite struct ResampleTests {
  @Test(
    arguments: BackendUnderTest.all, [[5, 7, 10, 14], [3, 4, 7, 9], [5, 5, 3, 2], [1, 1, 4, 3]])
  func `upsampling takes the nearest source, and its gradient adds up the copies`(
    backend: BackendUnderTest, sides: [Int]
  ) throws {
    let (shape, target) = ([2, sides[0], sides[1], 6], [2, sides[2], sides[3], 6])
    let x = Operand.random(shape, seed: 1)
    let dy = Operand.random(target, seed: 2)
    var expected: [Double] = []
    var slopes = [Double](repeating: 0, count: x.count)
    for (place, index) in indices(of: target).enumerated() {
      let source = offset(
        [index[0], index[1] * sides[0] / sides[2], index[2] * sides[1] / sides[3], index[3]],
        in: shape)
      expected.append(x.values[source])
      slopes[source] += dy.values[place]
    }
    let y = try backend.run(
      OperationCase(code: ESP_OP_UPSAMPLE_NEAREST, inputs: [x], outputs: [target]))
    #expect(y[0] == expected)
    let dx = try backend.run(
      OperationCase(code: ESP_OP_UPSAMPLE_NEAREST_BACKWARD, inputs: [dy], outputs: [shape]))
    expectClose(dx[0], slopes, within: Tolerance.elementwise)
  }

  @Test(arguments: BackendUnderTest.all, [[4, 6], [5, 7], [1, 1], [1, 4], [3, 2]])
  func `pooling averages what a window covers`(
    backend: BackendUnderTest, sides: [Int]
  ) throws {
    let shape = [2, sides[0], sides[1], 5]
    let target = [2, (sides[0] + 1) / 2, (sides[1] + 1) / 2, 5]
    let x = Operand.random(shape, seed: 1)
    let dy = Operand.random(target, seed: 2)
    var expected = [Double](repeating: 0, count: dy.count)
    var slopes = [Double](repeating: 0, count: x.count)
    for (place, index) in indices(of: shape).enumerated() {
      let window = [index[0], index[1] / 2, index[2] / 2, index[3]]
      let covered =
        min(2, sides[0] - 2 * window[1]) * min(2, sides[1] - 2 * window[2])
      let pooled = offset(window, in: target)
      expected[pooled] += x.values[place] / Double(covered)
      slopes[place] = dy.values[pooled] / Double(covered)
    }
    let y = try backend.run(
      OperationCase(code: ESP_OP_AVG_POOL2D, inputs: [x], outputs: [target]))
    expectClose(y[0], expected, within: Tolerance.elementwise)
    let dx = try backend.run(
      OperationCase(code: ESP_OP_AVG_POOL2D_BACKWARD, inputs: [dy], outputs: [shape]))
    expectClose(dx[0], slopes, within: Tolerance.elementwise)
  }
}
