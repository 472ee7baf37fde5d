/// Mean and variance of a group that come in parts.
///
/// Source: Chan, Golub & LeVeque 1979, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances".
package struct GroupMoments {
  private var count = 0.0
  package private(set) var mean = 0.0
  /// Sum of the squared distances from the mean.
  private var squares = 0.0

  package init() {}

  /// Adds a part with the reciprocal standard deviation that a group norm uses, `1/√(variance + ε)`.
  package mutating func add(
    count part: Double, mean other: Double, reciprocalDeviation: Double, epsilon: Double
  ) {
    guard part > 0 else { return }
    let variance = max(1 / (reciprocalDeviation * reciprocalDeviation) - epsilon, 0)
    let distance = other - mean
    let total = count + part
    squares += variance * part + distance * distance * count * part / total
    mean += distance * part / total
    count = total
  }

  package func reciprocalDeviation(epsilon: Double) -> Double {
    1 / ((count > 0 ? squares / count : 0) + epsilon).squareRoot()
  }
}
