import EspalierABI
import Testing

/// A group norm: sizes, groups, activation, and the data's mean.
struct GroupNormCase: CustomTestStringConvertible {
  let shape: [Int]
  let groups: Int
  var act = ESP_ACT_NONE
  var offset = 0.0
  var storage = Operand.Storage.float32

  var testDescription: String { "\(shape) in \(groups) groups, activation \(act), mean \(offset)" }
  var channels: Int { shape[shape.count - 1] }

  static let all = [
    GroupNormCase(shape: [2, 3, 5, 12], groups: 3),
    GroupNormCase(shape: [1, 9, 10], groups: 1, act: ESP_ACT_SILU, storage: .float16),
    GroupNormCase(shape: [3, 7, 3, 8], groups: 8, act: ESP_ACT_SILU, offset: -3),
    GroupNormCase(shape: [5, 3, 3, 33], groups: 11, act: ESP_ACT_SILU, storage: .bfloat16),
    GroupNormCase(shape: [2, 1, 16], groups: 4, act: ESP_ACT_GELU),
    GroupNormCase(shape: [1, 16], groups: 2, act: ESP_ACT_QUICK_GELU),
    GroupNormCase(shape: [1, 2, 3, 4], groups: 2, act: ESP_ACT_SIGMOID),
  ]

  /// [x, gamma, beta] → the norm after its activation, with the statistics of each group.
  func reference(_ inputs: [[Double]]) -> (y: [Double], mean: [Double], rstd: [Double]) {
    let (x, gamma, beta) = (inputs[0], inputs[1], inputs[2])
    let batch = shape[0]
    let pixels = shape.dropFirst().dropLast().reduce(1, *)
    let width = channels / groups
    var y = [Double](repeating: 0, count: x.count)
    var means: [Double] = []
    var rstds: [Double] = []
    for sample in 0..<batch {
      for group in 0..<groups {
        let places = (0..<pixels).flatMap { pixel in
          (0..<width).map { (sample * pixels + pixel) * channels + group * width + $0 }
        }
        let mean = places.reduce(0) { $0 + x[$1] } / Double(places.count)
        let variance = places.reduce(0) { $0 + (x[$1] - mean) * (x[$1] - mean) }
        let rstd = 1 / (variance / Double(places.count) + 1e-5).squareRoot()
        means.append(mean)
        rstds.append(rstd)
        for place in places {
          let channel = place % channels
          y[place] = activation(act, (x[place] - mean) * rstd * gamma[channel] + beta[channel])
        }
      }
    }
    return (y, means, rstds)
  }

  var operands: [Operand] {
    [
      .random(shape, seed: 1, offset: offset),
      .random([channels], seed: 2, offset: 0.5, storage: storage, isWeight: true),
      .random([channels], seed: 3, storage: storage, isWeight: true),
    ]
  }

  var integers: [Int64] { [Int64(act), Int64(groups)] }
}

@Suite struct GroupNormTests {
  @Test(arguments: BackendUnderTest.all, GroupNormCase.all)
  func `matches double precision, forward and backward`(
    backend: BackendUnderTest, norm: GroupNormCase
  ) throws {
    let operands = norm.operands
    let values = operands.map(\.values)
    let statistics = [norm.shape[0], norm.groups]
    let expected = norm.reference(values)
    let found = try backend.run(
      OperationCase(
        code: ESP_OP_GROUP_NORM, inputs: operands, outputs: [norm.shape, statistics, statistics],
        integers: norm.integers, floats: [1e-5]))
    expectClose(found[0], expected.y, within: Tolerance.reduction)
    expectClose(found[1], expected.mean, within: Tolerance.elementwise)
    expectClose(found[2], expected.rstd, within: Tolerance.reduction)

    let dy = Operand.random(norm.shape, seed: 4)
    let residual = Operand.random(norm.shape, seed: 5)
    let inputs =
      [
        dy, operands[0], Operand(expected.mean, shape: statistics),
        Operand(expected.rstd, shape: statistics),
      ] + operands[1...]
    let gradients = (0..<3).map { k in
      gradient(of: { norm.reference($0).y }, at: values, by: k, cotangent: dy.values)
    }
    let vector = [norm.channels]
    let all = try backend.run(
      OperationCase(
        code: ESP_OP_GROUP_NORM_BACKWARD, inputs: inputs + [residual],
        outputs: [norm.shape, vector, vector], integers: norm.integers, floats: [1e-5]))
    expectClose(
      all[0], zip(gradients[0], residual.values).map(+), within: Tolerance.reduction, "dx")
    expectClose(all[1], gradients[1], within: Tolerance.reduction, "dgamma")
    expectClose(all[2], gradients[2], within: Tolerance.reduction, "dbeta")
    let single = try backend.run(
      OperationCase(
        code: ESP_OP_GROUP_NORM_BACKWARD, inputs: inputs + [nil], outputs: [norm.shape, nil, nil],
        integers: norm.integers, floats: [1e-5]))
    expectClose(single[0], gradients[0], within: Tolerance.reduction, "dx alone")
    let parameters = try backend.run(
      OperationCase(
        code: ESP_OP_GROUP_NORM_BACKWARD, inputs: inputs + [nil], outputs: [nil, vector, vector],
        integers: norm.integers, floats: [1e-5]))
    #expect(parameters[1] == all[1] && parameters[2] == all[2])
  }

  @Test(arguments: BackendUnderTest.all)
  func `a large mean with a small variance keeps its accuracy`(backend: BackendUnderTest) throws {
    let norm = GroupNormCase(shape: [1, 70, 33, 64], groups: 8, offset: 1000)
    let operands = norm.operands
    let expected = norm.reference(operands.map(\.values))
    let found = try backend.run(
      OperationCase(
        code: ESP_OP_GROUP_NORM, inputs: operands, outputs: [norm.shape, nil, [1, 8]],
        integers: norm.integers, floats: [1e-5]))
    // The mean itself, about 1000, is rounded to f32: half an ulp is 3e-5 standard deviations.
    expectClose(found[0], expected.y, within: 5e-5)
    expectClose(found[2], expected.rstd, within: Tolerance.elementwise)
  }

  @Test(arguments: BackendUnderTest.all)
  func `many blocks of pixels match double precision`(backend: BackendUnderTest) throws {
    let norm = GroupNormCase(shape: [2, 29, 19, 96], groups: 32, act: ESP_ACT_SILU, offset: 1)
    let operands = norm.operands
    let values = operands.map(\.values)
    let expected = norm.reference(values)
    let found = try backend.run(
      OperationCase(
        code: ESP_OP_GROUP_NORM, inputs: operands, outputs: [norm.shape, nil, nil],
        integers: norm.integers, floats: [1e-5]))
    expectClose(found[0], expected.y, within: Tolerance.reduction)
    let dy = Operand.random(norm.shape, seed: 4)
    let statistics = [2, 32]
    let gradients = try backend.run(
      OperationCase(
        code: ESP_OP_GROUP_NORM_BACKWARD,
        inputs: [
          dy, operands[0], Operand(expected.mean, shape: statistics),
          Operand(expected.rstd, shape: statistics), operands[1], operands[2], nil,
        ], outputs: [norm.shape, [96], [96]], integers: norm.integers, floats: [1e-5]))
    for k in 0..<3 {
      expectSlope(
        gradients[k], of: { norm.reference($0).y }, at: values, by: k, cotangent: dy.values,
        within: 1e-4)
    }
  }
}

@Suite struct LayerNormTests {
  static func reference(_ inputs: [[Double]]) -> (y: [Double], mean: [Double], rstd: [Double]) {
    let (x, gamma, beta) = (inputs[0], inputs[1], inputs[2])
    let width = gamma.count
    var y = [Double](repeating: 0, count: x.count)
    var means: [Double] = []
    var rstds: [Double] = []
    for row in 0..<x.count / width {
      let slice = x[row * width..<(row + 1) * width]
      let mean = slice.reduce(0, +) / Double(width)
      let variance = slice.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
      let rstd = 1 / (variance + 1e-5).squareRoot()
      means.append(mean)
      rstds.append(rstd)
      for k in 0..<width {
        y[row * width + k] = (x[row * width + k] - mean) * rstd * gamma[k] + beta[k]
      }
    }
    return (y, means, rstds)
  }

  @Test(arguments: BackendUnderTest.all, [[2, 3, 37], [7, 8], [1, 2], [4, 65]])
  func `matches double precision, forward and backward`(
    backend: BackendUnderTest, shape: [Int]
  ) throws {
    for storage in [Operand.Storage.float32, .float16, .bfloat16] {
      let width = shape[shape.count - 1]
      let rows = Array(shape.dropLast())
      let x = Operand.random(shape, seed: 1, offset: 2)
      let gamma = Operand.random([width], seed: 2, storage: storage, isWeight: true)
      let beta = Operand.random([width], seed: 3, storage: storage, isWeight: true)
      let values = [x, gamma, beta].map(\.values)
      let expected = Self.reference(values)
      let found = try backend.run(
        OperationCase(
          code: ESP_OP_LAYER_NORM, inputs: [x, gamma, beta], outputs: [shape, rows, rows],
          floats: [1e-5]))
      expectClose(found[0], expected.y, within: Tolerance.reduction)
      expectClose(found[1], expected.mean, within: Tolerance.elementwise)
      expectClose(found[2], expected.rstd, within: Tolerance.reduction)
      let dy = Operand.random(shape, seed: 4)
      let residual = Operand.random(shape, seed: 5)
      let inputs = [
        dy, x, Operand(expected.mean, shape: rows), Operand(expected.rstd, shape: rows), gamma,
      ]
      let gradients = (0..<3).map { k in
        gradient(of: { Self.reference($0).y }, at: values, by: k, cotangent: dy.values)
      }
      let all = try backend.run(
        OperationCase(
          code: ESP_OP_LAYER_NORM_BACKWARD, inputs: inputs + [residual],
          outputs: [shape, [width], [width]]))
      // Rows of two elements have gradients far below their terms.
      let tolerance = width == 2 ? 1e-3 : 2 * Tolerance.reduction
      expectClose(all[0], zip(gradients[0], residual.values).map(+), within: tolerance, "dx")
      expectClose(all[1], gradients[1], within: tolerance, "dgamma")
      expectClose(all[2], gradients[2], within: tolerance, "dbeta")
      let single = try backend.run(
        OperationCase(
          code: ESP_OP_LAYER_NORM_BACKWARD, inputs: inputs + [nil], outputs: [shape, nil, nil]))
      expectClose(single[0], gradients[0], within: tolerance, "dx alone", floor: 1)
    }
  }
}
