import EspalierConformance
import Testing

/// The references of gradients against those of the forward passes, without any backend.
@Suite struct ReferenceTests {
  private func dot(_ a: [Double], _ b: [Float]) -> Double {
    zip(a, b).reduce(0) { $0 + $1.0 * Double($1.1) }
  }

  /// The operands and the reference of the case with this label.
  private func example(
    _ operation: OperationCode, _ label: String
  ) throws -> (inputs: [[Float]], expected: [Double]) {
    let found = try #require(
      ConformanceSuite.cases([operation]).first { $0.label == label }, "\(operation) \(label)")
    let prepared = found.prepare()
    let expected = try #require(prepared.expected[0])
    let isWhole = expected.indices == nil
    #expect(isWhole, "\(label) is only a sample")
    return (prepared.call.inputs.map { $0?.values ?? [] }, expected.values)
  }

  @Test(arguments: [
    (OperationCode.linear, OperationCode.linearDX, OperationCode.linearDW),
    (.conv2D, .conv2DDX, .conv2DDW),
  ])
  func `both gradients of a product are its adjoints`(
    forward: OperationCode, dx: OperationCode, dw: OperationCode
  ) throws {
    let tail = " bare, f32, weights f32"
    let sizes = ConformanceSuite.cases([forward]).map(\.label).filter { $0.hasSuffix(tail) }
      .map { String($0.dropLast(tail.count)) }
    #expect(sizes.count > 5)
    for size in sizes {
      let y = try example(forward, size + tail)
      let byX = try example(dx, size + ", f32, weights f32")
      let byW = try example(dw, size + ", f32")
      let expected = dot(y.expected, byX.inputs[0])
      let limit = 1e-12 * y.expected.reduce(1) { $0 + $1 * $1 }
      #expect(abs(dot(byX.expected, y.inputs[0]) - expected) <= limit, "dx of \(size)")
      #expect(abs(dot(byW.expected, y.inputs[1]) - expected) <= limit, "dw of \(size)")
    }
  }

  @Test(arguments: [
    (OperationCode.upsampleNearest, OperationCode.upsampleNearestBackward),
    (.avgPool2D, .avgPool2DBackward),
  ])
  func `the gradient of a resampling is its adjoint`(
    forward: OperationCode, backward: OperationCode
  ) throws {
    let labels = ConformanceSuite.cases([forward]).map(\.label).filter { $0.hasSuffix(" f32") }
    #expect(labels.count >= 4)
    for label in labels {
      let y = try example(forward, label)
      let dx = try example(backward, label)
      let expected = dot(y.expected, dx.inputs[0])
      #expect(abs(dot(dx.expected, y.inputs[0]) - expected) <= 1e-9, "\(label)")
    }
  }

  @Test(arguments: Activation.all)
  func `a derivative is the slope of its activation`(act: Int32) {
    for step in -60...60 {
      let x = Double(step) / 5 + 0.01
      let slope = (Activation.value(act, x + 1e-6) - Activation.value(act, x - 1e-6)) / 2e-6
      #expect(abs(Activation.derivative(act, x) - slope) <= 1e-8, "at \(x)")
    }
  }

  /// The slope of `value` by every element of `x`; exact steps, since the elements have few bits.
  private func slopes(of value: ([Float]) -> Double, at x: [Float]) -> [Double] {
    x.indices.map { index in
      var (above, below) = (x, x)
      above[index] += 0x1p-10
      below[index] -= 0x1p-10
      return (value(above) - value(below)) / Double(above[index] - below[index])
    }
  }

  private func expectClose(_ found: [Double], _ expected: [Double], _ what: String) {
    #expect(found.count == expected.count)
    let largest = expected.map { abs($0) }.max() ?? 0
    let worst = zip(found, expected).map { abs($0 - $1) }.max() ?? .infinity
    #expect(worst <= 2e-5 * max(largest, 1), "\(what) is off by \(worst) of \(largest)")
  }

  private func operand(_ shape: [Int], _ seed: UInt64, offset: Double = 0) -> [Float] {
    Operand.random(shape, seed: seed, offset: offset, storage: .float16).values
  }

  @Test(arguments: Activation.all.filter { $0 != 2 })  // relu has no slope at 0
  func `the gradients of a group norm are its slopes`(act: Int32) {
    let (shape, groups) = ([2, 3, 2, 6], 2)
    let (x, gamma, beta) = (operand(shape, 1), operand([6], 2, offset: 1), operand([6], 3))
    let dy = operand(shape, 4)
    func norm(_ x: [Float], _ gamma: [Float], _ beta: [Float]) -> NormReference {
      NormReference(groupsOf: shape, groups, x: x, gamma: gamma, beta: beta, act: act)
    }
    func value(_ norm: NormReference) -> Double { dot(dy.indices.map(norm.output), dy) }
    let reference = norm(x, gamma, beta)
    let found = reference.parameterGradients(dy)
    expectClose(
      dy.indices.map { reference.inputGradient($0, dy) },
      slopes(of: { value(norm($0, gamma, beta)) }, at: x), "dx")
    expectClose(found.gamma, slopes(of: { value(norm(x, $0, beta)) }, at: gamma), "dgamma")
    expectClose(found.beta, slopes(of: { value(norm(x, gamma, $0)) }, at: beta), "dbeta")
  }

  @Test func `the gradients of a layer norm are its slopes`() {
    let (x, gamma, beta) = (operand([5, 7], 1), operand([7], 2), operand([7], 3))
    let dy = operand([5, 7], 4)
    let reference = NormReference(rowsOf: x, gamma: gamma, beta: beta)
    func value(_ x: [Float], _ gamma: [Float]) -> Double {
      let norm = NormReference(rowsOf: x, gamma: gamma, beta: beta)
      return dot(dy.indices.map(norm.output), dy)
    }
    expectClose(
      dy.indices.map { reference.inputGradient($0, dy) }, slopes(of: { value($0, gamma) }, at: x),
      "dx")
    expectClose(
      reference.parameterGradients(dy).gamma, slopes(of: { value(x, $0) }, at: gamma), "dgamma")
  }

  @Test(arguments: [(5, 3, false), (7, 7, true), (3, 8, true)])
  func `the gradients of attention are its slopes`(queries: Int, keys: Int, isCausal: Bool) {
    let (heads, width) = (2, 5)
    let sizes = AttentionSizes(
      2, queries, keys, heads: heads, width: width, isCausal: isCausal)
    let operands = [sizes.queryShape, sizes.keyShape, sizes.keyShape].enumerated().map {
      operand($1, UInt64($0))
    }
    let dOutput = operand(sizes.queryShape, 4)
    func reference(_ operands: [[Float]]) -> AttentionReference {
      AttentionReference(sizes: sizes, q: operands[0], k: operands[1], v: operands[2])
    }
    let forward = reference(operands)
    let (o, lse) = forward.forward()
    let backward = AttentionReference.Backward(
      forward: forward, dOutput: dOutput, o: o.map { Float($0) }, lse: lse.map { Float($0) })
    let rows = { (k: Int) in operands[k].count / width }
    let found = [
      (0..<rows(0)).flatMap(backward.query), (0..<rows(1)).flatMap { backward.key($0).dk },
      (0..<rows(2)).flatMap { backward.key($0).dv },
    ]
    for k in 0..<3 {
      let expected = slopes(
        of: {
          var moved = operands
          moved[k] = $0
          return dot(reference(moved).forward().o, dOutput)
        }, at: operands[k])
      expectClose(found[k], expected, "gradient \(k)")
    }
  }

  @Test func `keys that repeat give the same reference as keys that happen to be equal`() {
    let sizes = AttentionSizes(1, 4, 11, heads: 2, width: 6, period: 3)
    let same = AttentionSizes(1, 4, 11, heads: 2, width: 6)
    let q = operand(sizes.queryShape, 1)
    let v = operand(sizes.keyShape, 3)
    let keys = operand(sizes.keyShape, 2)
    let k = keys.indices.map { keys[$0 / 12 % 3 * 12 + $0 % 12] }
    let first = AttentionReference(sizes: sizes, q: q, k: k, v: v).forward()
    let second = AttentionReference(sizes: same, q: q, k: k, v: v).forward()
    for (a, b) in zip(first.o + first.lse, second.o + second.lse) { #expect(abs(a - b) <= 1e-12) }
  }
}
