import Glibc

/// The beta distribution on [0, 1].
///
/// Source: Numerical Recipes, section 6.4: the incomplete beta function by Lentz's continued fraction.
struct BetaDistribution {
  let alpha: Double
  let beta: Double

  /// The value below which a part `probability` of the distribution lies, to 1e-14.
  func quantile(_ probability: Double) -> Double {
    if probability <= 0 { return 0 }
    if probability >= 1 { return 1 }
    var (low, high) = (0.0, 1.0)
    // Bisection halves the interval each time; 60 halvings reach the precision of a double near 1.
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if cumulative(middle) < probability { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }

  /// The part of the distribution below `x`: the regularised incomplete beta function.
  func cumulative(_ x: Double) -> Double {
    if x <= 0 { return 0 }
    if x >= 1 { return 1 }
    let front = exp(
      lgamma(alpha + beta) - lgamma(alpha) - lgamma(beta) + alpha * log(x) + beta * log1p(-x))
    // The fraction converges fast on one side of the mean, so the other side goes by symmetry.
    return x < (alpha + 1) / (alpha + beta + 2)
      ? front * continuedFraction(x, alpha, beta) / alpha
      : 1 - front * continuedFraction(1 - x, beta, alpha) / beta
  }

  private func continuedFraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
    func awayFromZero(_ value: Double) -> Double { abs(value) < 1e-300 ? 1e-300 : value }
    var c = 1.0
    var d = 1 / awayFromZero(1 - (a + b) * x / (a + 1))
    var fraction = d
    for index in 1...300 {
      let m = Double(index)
      let even = m * (b - m) * x / ((a - 1 + 2 * m) * (a + 2 * m))
      d = 1 / awayFromZero(1 + even * d)
      c = awayFromZero(1 + even / c)
      fraction *= d * c
      let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 1 + 2 * m))
      d = 1 / awayFromZero(1 + odd * d)
      c = awayFromZero(1 + odd / c)
      fraction *= d * c
      if abs(d * c - 1) < 1e-15 { break }
    }
    return fraction
  }
}
