import EspalierABI
import Testing

/// A function of several tensors in double precision.
typealias Reference = ([[Double]]) -> [Double]

/// How far a result may be from its reference, relative to the reference's largest element.
enum Tolerance {
  /// Elementwise functions and short sums in f32.
  static let elementwise = 2e-6
  /// Longer sums in f32, statistics, softmax.
  static let reduction = 1e-5
  /// Convolutions by Winograd's transforms, F(4×4, 3×3).
  static let winograd = 1e-4
}

/// Expects every element within `tolerance` of the reference's largest element; NaN fails.
func expectClose(
  _ actual: [Double]?, _ expected: [Double], within tolerance: Double, _ label: String = "",
  floor: Double = 1e-2, sourceLocation: SourceLocation = #_sourceLocation
) {
  guard let actual, actual.count == expected.count else {
    Issue.record(
      "\(label) \(actual?.count ?? 0) elements, expected \(expected.count)",
      sourceLocation: sourceLocation)
    return
  }
  let limit = tolerance * max(expected.map { abs($0) }.max() ?? 0, floor)
  let misses = actual.indices.filter { !(abs(actual[$0] - expected[$0]) <= limit) }
  guard let worst = misses.max(by: { miss(actual, expected, $0) < miss(actual, expected, $1) })
  else { return }
  Issue.record(
    """
    \(label) \(misses.count) of \(actual.count) elements are off by more than \(limit); \
    the worst, \(worst): \(actual[worst]), expected \(expected[worst])
    """, sourceLocation: sourceLocation)
}

private func miss(_ actual: [Double], _ expected: [Double], _ index: Int) -> Double {
  let distance = abs(actual[index] - expected[index])
  return distance.isNaN ? .infinity : distance
}

/// The gradient of Σ cotangent·reference(inputs) by input `k`, by central differences.
func gradient(
  of reference: Reference, at inputs: [[Double]], by k: Int, cotangent: [Double]
) -> [Double] {
  let step = 1e-5
  var moved = inputs
  return inputs[k].indices.map { index in
    moved[k][index] = inputs[k][index] + step
    let above = dot(reference(moved), cotangent)
    moved[k][index] = inputs[k][index] - step
    let below = dot(reference(moved), cotangent)
    moved[k][index] = inputs[k][index]
    return (above - below) / (2 * step)
  }
}

/// Expects a gradient to agree with the reference's slope along a few directions; for tensors too large
/// to vary every element.
func expectSlope(
  _ actual: [Double]?, of reference: Reference, at inputs: [[Double]], by k: Int,
  cotangent: [Double], within tolerance: Double, _ label: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard let actual, actual.count == inputs[k].count else {
    Issue.record("\(label) has the wrong size", sourceLocation: sourceLocation)
    return
  }
  for seed in 1...UInt64(2) {
    let direction = Operand.random([actual.count], seed: 1000 + seed).values
    let step = 1e-5
    var moved = inputs
    moved[k] = zip(inputs[k], direction).map { $0 + step * $1 }
    let above = dot(reference(moved), cotangent)
    moved[k] = zip(inputs[k], direction).map { $0 - step * $1 }
    let expected = (above - dot(reference(moved), cotangent)) / (2 * step)
    let scale = dot(actual, actual).squareRoot()
    let found = dot(actual, direction)
    #expect(
      abs(found - expected) <= tolerance * max(scale, 1e-2),
      "\(label) slope \(found), expected \(expected)", sourceLocation: sourceLocation)
  }
}

func dot(_ a: [Double], _ b: [Double]) -> Double {
  var sum = 0.0
  for index in a.indices { sum += a[index] * b[index] }
  return sum
}
