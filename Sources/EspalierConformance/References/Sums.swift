/// Σ a[aStart + k·aStep] · b[bStart + k·bStep] over k below `count`.
func dot(
  _ count: Int, _ a: [Float], _ aStart: Int, _ aStep: Int, _ b: [Float], _ bStart: Int, _ bStep: Int
) -> Double {
  var sum = 0.0
  var (i, j) = (aStart, bStart)
  for _ in 0..<count {
    sum += Double(a[i]) * Double(b[j])
    i += aStep
    j += bStep
  }
  return sum
}

/// All multi-indices of a shape, in row-major order.
func indices(of shape: [Int]) -> [[Int]] {
  shape.reduce([[]]) { partial, size in
    partial.flatMap { prefix in (0..<size).map { prefix + [$0] } }
  }
}

/// The row-major offset of an index.
func offset(_ index: [Int], in shape: [Int]) -> Int {
  zip(index, shape).reduce(0) { $0 * $1.1 + $1.0 }
}
