public import EspalierGraph

/// Mean and reciprocal standard deviation of a map's groups as values of a graph: `[1, G]` where they are measured,
/// `[1, C]`, repeated for every channel, where they are applied.
public struct NormStatistics {
  public let mean: Value
  public let reciprocalDeviation: Value

  public init(mean: Value, reciprocalDeviation: Value) {
    self.mean = mean
    self.reciprocalDeviation = reciprocalDeviation
  }
}

extension GroupNorm {
  /// The statistics of the rows that are there.
  func statistics(of x: Value) -> NormStatistics {
    let (mean, reciprocalDeviation) = x.groupNormStatistics(
      groups: groups, gamma: weight, beta: bias, epsilon: epsilon, path: path)
    return NormStatistics(mean: mean, reciprocalDeviation: reciprocalDeviation)
  }

  /// Normalises with statistics that come from elsewhere.
  ///
  /// - Parameters:
  ///   - x: Feature map `[1, H, W, channels]`, of any rows.
  ///   - statistics: `[1, channels]` each.
  func callAsFunction(_ x: Value, with statistics: NormStatistics) -> Value {
    let scale = statistics.reciprocalDeviation * weight
    let shift = statistics.mean * scale * -1.0 + bias
    return x.multiplied(perSample: scale, path: path).adding(perSample: shift, path: path)
  }
}
