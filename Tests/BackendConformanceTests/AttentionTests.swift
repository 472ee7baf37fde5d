import EspalierABI
import Foundation
import Testing

/// Sizes of an attention: q[B,Nq,h·d], k and v [B,Nk,h·d].
struct AttentionCase: CustomTestStringConvertible {
  let batch: Int
  let queries: Int
  let keys: Int
  let heads: Int
  let width: Int
  var isCausal = false

  var testDescription: String {
    "B\(batch) Nq\(queries) Nk\(keys) h\(heads) d\(width)\(isCausal ? " causal" : "")"
  }

  static let small = [
    AttentionCase(batch: 1, queries: 1, keys: 1, heads: 1, width: 8),
    AttentionCase(batch: 2, queries: 5, keys: 3, heads: 2, width: 9),
    AttentionCase(batch: 1, queries: 7, keys: 7, heads: 3, width: 8, isCausal: true),
    AttentionCase(batch: 1, queries: 4, keys: 19, heads: 1, width: 16),
    AttentionCase(batch: 1, queries: 3, keys: 5, heads: 1, width: 33),
  ]

  static let large = [
    AttentionCase(batch: 1, queries: 77, keys: 77, heads: 2, width: 64, isCausal: true),
    AttentionCase(batch: 1, queries: 230, keys: 77, heads: 2, width: 32),
    AttentionCase(batch: 1, queries: 301, keys: 290, heads: 1, width: 40),
    AttentionCase(batch: 1, queries: 300, keys: 300, heads: 1, width: 64, isCausal: true),
    AttentionCase(batch: 1, queries: 50, keys: 70, heads: 1, width: 512),
    AttentionCase(batch: 3, queries: 64, keys: 64, heads: 2, width: 32),
  ]

  var queryShape: [Int] { [batch, queries, heads * width] }
  var keyShape: [Int] { [batch, keys, heads * width] }
  var scale: Double { 1 / Double(width).squareRoot() }
  var integers: [Int64] { [Int64(heads), isCausal ? 1 : 0] }

  var operands: [Operand] {
    [
      .random(queryShape, seed: 1, scale: 1.5), .random(keyShape, seed: 2, scale: 1.5),
      .random(keyShape, seed: 3),
    ]
  }

  /// [q, k, v] → o and lse.
  func reference(_ inputs: [[Double]]) -> (o: [Double], lse: [Double]) {
    let (q, k, v) = (inputs[0], inputs[1], inputs[2])
    let step = heads * width
    var o = [Double](repeating: 0, count: q.count)
    var lse = [Double](repeating: 0, count: batch * heads * queries)
    for sample in 0..<batch {
      for head in 0..<heads {
        for query in 0..<queries {
          let at = (sample * queries + query) * step + head * width
          let visible = isCausal ? min(query + 1, keys) : keys
          let scores = (0..<visible).map { key in
            let other = (sample * keys + key) * step + head * width
            var score = 0.0
            for d in 0..<width { score += q[at + d] * k[other + d] }
            return scale * score
          }
          let top = scores.max() ?? 0
          let total = scores.reduce(0) { $0 + exp($1 - top) }
          lse[(sample * heads + head) * queries + query] = top + log(total)
          for (key, score) in scores.enumerated() {
            let weight = exp(score - top) / total
            let other = (sample * keys + key) * step + head * width
            for d in 0..<width { o[at + d] += weight * v[other + d] }
          }
        }
      }
    }
    return (o, lse)
  }

  /// The backward operation for these outputs.
  func backward(_ dOutput: Operand, wanting mask: [Bool]) -> OperationCase {
    let operands = operands
    let (o, lse) = reference(operands.map(\.values))
    let shapes = [queryShape, keyShape, keyShape]
    return OperationCase(
      code: ESP_OP_ATTENTION_BACKWARD,
      inputs: [dOutput] + operands + [
        Operand(o, shape: queryShape), Operand(lse, shape: [batch, heads, queries]),
      ], outputs: zip(shapes, mask).map { $1 ? $0 : nil }, integers: integers, floats: [scale])
  }
}

@Suite struct AttentionTests {
  @Test(arguments: BackendUnderTest.all, AttentionCase.small + AttentionCase.large)
  func `matches double precision`(backend: BackendUnderTest, attention: AttentionCase) throws {
    let operands = attention.operands
    let expected = attention.reference(operands.map(\.values))
    let statistics = [attention.batch, attention.heads, attention.queries]
    let found = try backend.run(
      OperationCase(
        code: ESP_OP_ATTENTION, inputs: operands, outputs: [attention.queryShape, statistics],
        integers: attention.integers, floats: [attention.scale]))
    expectClose(found[0], expected.o, within: Tolerance.reduction, "o")
    expectClose(found[1], expected.lse, within: Tolerance.elementwise, "lse")
    let single = try backend.run(
      OperationCase(
        code: ESP_OP_ATTENTION, inputs: operands, outputs: [attention.queryShape, nil],
        integers: attention.integers, floats: [attention.scale]))
    #expect(single[0] == found[0])
  }

  @Test(arguments: BackendUnderTest.all, AttentionCase.small)
  func `every gradient matches finite differences`(
    backend: BackendUnderTest, attention: AttentionCase
  ) throws {
    let dOutput = Operand.random(attention.queryShape, seed: 4)
    let values = attention.operands.map(\.values)
    let gradients = (0..<3).map { k in
      gradient(of: { attention.reference($0).o }, at: values, by: k, cotangent: dOutput.values)
    }
    for mask in [
      [true, true, true], [true, false, false], [false, true, true], [false, false, true],
    ] {
      let found = try backend.run(attention.backward(dOutput, wanting: mask))
      for k in 0..<3 where mask[k] {
        expectClose(
          found[k], gradients[k], within: Tolerance.reduction, "gradient \(k) of \(mask)", floor: 1)
      }
    }
  }

  @Test(arguments: BackendUnderTest.all, AttentionCase.large)
  func `the gradients over many tiles match slopes`(
    backend: BackendUnderTest, attention: AttentionCase
  ) throws {
    let dOutput = Operand.random(attention.queryShape, seed: 4)
    let values = attention.operands.map(\.values)
    let all = try backend.run(attention.backward(dOutput, wanting: [true, true, true]))
    for k in 0..<3 {
      expectSlope(
        all[k], of: { attention.reference($0).o }, at: values, by: k, cotangent: dOutput.values,
        within: 1e-4, "gradient \(k)")
      let mask = (0..<3).map { $0 == k }
      let single = try backend.run(attention.backward(dOutput, wanting: mask))
      expectClose(single[k], all[k] ?? [], within: Tolerance.reduction, "gradient \(k) alone")
    }
  }

  @Test(arguments: BackendUnderTest.all)
  func `strong scores neither overflow nor lose the largest key`(
    backend: BackendUnderTest
  ) throws {
    let attention = AttentionCase(batch: 1, queries: 50, keys: 300, heads: 1, width: 32)
    var operands = attention.operands
    operands[0] = .random(attention.queryShape, seed: 1, scale: 40)
    operands[1] = .random(attention.keyShape, seed: 2, scale: 40)
    let expected = attention.reference(operands.map(\.values))
    let found = try backend.run(
      OperationCase(
        code: ESP_OP_ATTENTION, inputs: operands,
        outputs: [attention.queryShape, [1, 1, 50]], integers: attention.integers,
        floats: [attention.scale]))
    // A score of about 9000 has an ulp of 1e-3, which is the weights' relative error.
    expectClose(found[0], expected.o, within: 3e-3)
    expectClose(found[1], expected.lse, within: Tolerance.elementwise)
  }
}
