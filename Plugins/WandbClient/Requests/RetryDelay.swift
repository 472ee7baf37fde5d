/// How long to wait before the same request is sent again: doubling, with a random part.
///
/// Source: the official client: min(60 s, 2 s × 2ⁿ × (1 + random up to 0.25)).
package struct RetryDelay {
  /// Seconds before the first repetition.
  private let first: Double
  /// Failures since the last success.
  package private(set) var failures = 0

  private static let longest = 60.0

  package init(first: Double) { self.first = first }

  /// - Parameter asked: Seconds that the server wants; replaces the computed wait.
  package mutating func next(asked: Double? = nil) -> Double {
    let computed = min(
      Self.longest,
      first * Double(1 << min(failures, 20)) * (1 + Double.random(in: 0...0.25)))
    failures += 1
    return asked ?? computed
  }

  package mutating func succeed() { failures = 0 }
}
