/// Classifier-free guidance: away from the negative prompt's prediction, past the prompt's own.
///
/// Source: Ho and Salimans, arXiv 2207.12598; the rescaling of section 3.4 in Lin et al., arXiv 2305.08891, as
/// Diffusers' `rescale_noise_cfg` has it.
public struct Guidance: Sendable {
  public let scale: Float
  public let rescale: Float

  public init(scale: Double, rescale: Double = 0) {
    self.scale = Float(scale)
    self.rescale = Float(rescale)
  }

  /// - Parameters:
  ///   - negative: Predictions for the negative prompts, sample after sample.
  ///   - positive: Predictions for the prompts.
  ///   - count: Elements of a sample.
  public func callAsFunction(
    negative: some RandomAccessCollection<Float>, positive: some RandomAccessCollection<Float>,
    count: Int
  ) -> [Float] {
    var result = zip(negative, positive).map { $0 + scale * ($1 - $0) }
    guard rescale > 0, count > 0 else { return result }
    for start in stride(from: 0, to: result.count, by: count) {
      let range = start..<min(start + count, result.count)
      let ratio =
        Self.deviation(positive.dropFirst(start).prefix(range.count))
        / Self.deviation(result[range])
      for k in range {
        result[k] = rescale * (result[k] * ratio) + (1 - rescale) * result[k]
      }
    }
    return result
  }

  /// The standard deviation with n − 1 in the denominator.
  private static func deviation(_ values: some Collection<Float>) -> Float {
    let n = Double(values.count)
    let mean = values.reduce(0.0) { $0 + Double($1) } / n
    let sum = values.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
    return Float((sum / (n - 1)).squareRoot())
  }
}
