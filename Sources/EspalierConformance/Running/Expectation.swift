/// What an output must hold, from a reference in double precision.
public struct Expectation: Sendable {
  /// The elements that `values` belong to; nil: all, in order.
  public let indices: [Int]?
  public let values: [Double]
  public let tolerance: Tolerance
  /// True if any value will do that is not finite.
  public var isNotFinite = false

  /// All elements of an output.
  static func all(_ values: [Double], _ tolerance: Tolerance) -> Expectation {
    Expectation(indices: nil, values: values, tolerance: tolerance)
  }

  /// All elements if there are few, else a fixed sample with both ends, each computed by `element`.
  static func elements(
    of count: Int, _ tolerance: Tolerance, sample: Int = 1 << 16, element: (Int) -> Double
  ) -> Expectation {
    guard count > sample else {
      return Expectation(indices: nil, values: (0..<count).map(element), tolerance: tolerance)
    }
    let indices = sampled(sample, of: count)
    return Expectation(indices: indices, values: indices.map(element), tolerance: tolerance)
  }

  /// As `elements`, in rows of `width` that are computed together.
  static func rows(
    of count: Int, width: Int, _ tolerance: Tolerance, sample: Int = 1 << 16,
    row: (Int) -> [Double]
  ) -> Expectation {
    guard count > sample else {
      return Expectation(
        indices: nil, values: (0..<count).flatMap(row), tolerance: tolerance)
    }
    let rows = sampled(sample, of: count)
    return Expectation(
      indices: rows.flatMap { Array($0 * width..<($0 + 1) * width) }, values: rows.flatMap(row),
      tolerance: tolerance)
  }

  /// `sample` different numbers below `count`, sorted, the same at every call.
  private static func sampled(_ sample: Int, of count: Int) -> [Int] {
    var generator = SplitMix64(state: UInt64(count))
    var chosen: Set<Int> = [0, count - 1]
    while chosen.count < sample {
      chosen.insert(Int(truncatingIfNeeded: generator.next() >> 1) % count)
    }
    return chosen.sorted()
  }

  /// How an output compares.
  public struct Deviation: Sendable {
    /// The largest distance, relative to the reference's largest element.
    public var worst = 0.0
    /// The largest distance as a part of what is allowed there.
    public var ofAllowed = 0.0
    /// What to tell if the output is wrong.
    public var fault: String?
  }

  /// Compares an output, element by element; NaN is always wrong where it is not expected.
  public func compare(_ found: [Float], storage: StorageType) -> Deviation {
    var result = Deviation()
    if isNotFinite {
      if found.contains(where: \.isFinite) {
        result.fault = "\(found.first(where: \.isFinite) ?? 0) where no finite value was expected"
      }
      return result
    }
    let largest = values.reduce(0) { $1.isFinite ? max($0, abs($1)) : $0 }
    let scale = max(largest, tolerance.floor)
    var misses = 0
    var worstMiss = (share: -1.0, text: "")
    for (position, expected) in values.enumerated() {
      let index = indices?[position] ?? position
      let value = Double(found[index])
      if value == expected || value.isNaN && expected.isNaN { continue }
      let distance = abs(value - expected)
      let limit = tolerance.limit(expected, largest: largest, storage: storage)
      let share = distance.isFinite ? distance / max(limit, .leastNormalMagnitude) : .infinity
      if distance.isFinite { result.worst = max(result.worst, distance / scale) }
      result.ofAllowed = max(result.ofAllowed, share)
      guard !(distance <= limit) else { continue }
      misses += 1
      if share > worstMiss.share {
        let shown = value.isNaN ? "NaN (never written?)" : "\(value)"
        worstMiss = (share, "element \(index) is \(shown), expected \(expected) ± \(limit)")
      }
    }
    if misses > 0 {
      result.fault = "\(misses) of \(values.count) elements are off; the worst: \(worstMiss.text)"
    } else if indices != nil, let hole = found.firstIndex(where: \.isNaN) {
      result.fault = "element \(hole) was never written, or is NaN"
    }
    return result
  }
}
