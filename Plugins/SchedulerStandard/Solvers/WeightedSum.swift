/// A sum of arrays with weights, accumulated in double.
struct WeightedSum {
  private var sums: [Double]

  init(count: Int) { sums = [Double](repeating: 0, count: count) }

  /// Adds `weight · values`; a weight of 0 adds nothing, whatever the values are.
  mutating func add(_ weight: Double, _ values: UnsafeBufferPointer<Float>) {
    if weight == 0 { return }
    for index in sums.indices { sums[index] += weight * Double(values[index]) }
  }

  mutating func add(_ weight: Double, _ values: [Float]) {
    values.withUnsafeBufferPointer { add(weight, $0) }
  }

  func store(to out: UnsafeMutableBufferPointer<Float>) {
    for index in sums.indices { out[index] = Float(sums[index]) }
  }

  var values: [Float] { sums.map { Float($0) } }
}
