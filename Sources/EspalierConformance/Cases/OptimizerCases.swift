/// AdamW over several tensors at once.
enum OptimizerCases {
  static var all: [ConformanceCase] {
    let small = [[5], [17_001], [3, 11]]
    let large = [[320, 320, 3, 3], [1280, 640, 1, 1], [320], [640, 320, 3, 3]]
    // The first betas are exact in f32. A backend may take 1 − β of the others from the f32 scalar or from
    // the decimal that it stands for, which differ by 1.3e-5.
    let exact = Betas(first: 0.875, second: 0.9375, tolerance: .elementwise)
    let usual = Betas(first: 0.9, second: 0.999, tolerance: Tolerance(ofLargest: 3e-5))
    return [1, 2, 1000].flatMap { step in
      [exact, usual].map { adamW(small, step: step, $0, .small) }
    } + [adamW(large, step: 3, usual, .sdxl)]
  }

  private struct Betas: Sendable {
    let first, second: Double
    let tolerance: Tolerance
  }

  private static func adamW(
    _ shapes: [[Int]], step: Int, _ betas: Betas, _ set: ShapeSet
  ) -> ConformanceCase {
    let count = shapes.reduce(0) { $0 + $1.reduce(1, *) }
    return ConformanceCase(
      .adamW, "\(shapes.count) tensors, step \(step), betas \(betas.first) \(betas.second)",
      activation: .float32, shapes: set, work: .bytes(Double(28 * count))
    ) {
      let (beta1, beta2) = (betas.first, betas.second)
      let scalars = Operand(
        rounding: [
          1e-2, beta1, beta2, 1e-8, 0.1, 1 - power(beta1, step), 1 - power(beta2, step), 0.5,
        ] + [Double](repeating: 0, count: 8), shape: [16])
      var call = OperationCall(.adamW, [scalars], [])
      var expected: [Expectation?] = []
      for (n, shape) in shapes.enumerated() {
        let start = call.inputs.count
        let tensors = Self.tensors(shape, seed: UInt64(10 * n), isFirst: step == 1)
        call.inputs += tensors
        for input in [start, start + 2, start + 3] {
          call.states[call.outputs.count] = input
          call.outputs.append(.init(shape))
        }
        expected += reference(
          scalars.values.map { Double($0) }, tensors.map(\.values), betas.tolerance)
      }
      return .init(call, expected)
    }
  }

  /// p, g, m and v; before the first step both moments are zero.
  private static func tensors(_ shape: [Int], seed: UInt64, isFirst: Bool) -> [Operand] {
    let scale = isFirst ? 0.0 : 1
    return [
      .random(shape, seed: seed, role: .state), .random(shape, seed: seed + 1, scale: 0.1),
      .random(shape, seed: seed + 2, scale: 0.05 * scale, role: .state),
      .random(shape, seed: seed + 3, scale: 0.001 * scale, offset: 0.003 * scale, role: .state),
    ]
  }

  /// The header's formula: p, m and v after the step.
  private static func reference(
    _ scalars: [Double], _ tensors: [[Float]], _ tolerance: Tolerance
  ) -> [Expectation?] {
    let (lr, beta1, beta2, epsilon) = (scalars[0], scalars[1], scalars[2], scalars[3])
    let (decay, first, second, multiplier) = (scalars[4], scalars[5], scalars[6], scalars[7])
    var (p, m, v) = (
      tensors[0].map { Double($0) }, tensors[2].map { Double($0) }, tensors[3].map { Double($0) }
    )
    for k in p.indices {
      let g = Double(tensors[1][k]) * multiplier
      m[k] += (1 - beta1) * (g - m[k])
      v[k] = beta2 * v[k] + (1 - beta2) * g * g
      p[k] -= lr * decay * p[k]
      p[k] -= lr / first * m[k] / ((v[k] / second).squareRoot() + epsilon)
    }
    return [.all(p, tolerance), .all(m, tolerance.atLeast(0)), .all(v, tolerance.atLeast(0))]
  }

  private static func power(_ base: Double, _ exponent: Int) -> Double {
    (0..<exponent).reduce(1) { product, _ in product * base }
  }
}
