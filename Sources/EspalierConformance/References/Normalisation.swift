/// A norm in double precision: every element belongs to one group that shares mean and deviation.
///
/// A group norm's groups are channels of one sample, a layer norm's are rows.
public final class NormReference {
  private let x, gamma, beta: [Float]
  private let act: Int32
  private let channels: Int
  /// The elements of a group, and the group of an element.
  private let places: (Int) -> [Int]
  private let group: (Int) -> Int
  private var known: [Int: (mean: Double, rstd: Double)] = [:]
  private var knownSums: [Int: (own: Double, scaled: Double)] = [:]
  private static let epsilon = 1e-5

  init(
    x: [Float], gamma: [Float], beta: [Float], act: Int32, places: @escaping (Int) -> [Int],
    group: @escaping (Int) -> Int
  ) {
    (self.x, self.gamma, self.beta, self.act) = (x, gamma, beta, act)
    (self.places, self.group, channels) = (places, group, gamma.count)
  }

  /// x[B,…,C] in `groups` groups of channels.
  public convenience init(
    groupsOf shape: [Int], _ groups: Int, x: [Float], gamma: [Float], beta: [Float], act: Int32
  ) {
    let channels = gamma.count
    let pixels = shape.dropFirst().dropLast().reduce(1, *)
    let width = channels / groups
    self.init(
      x: x, gamma: gamma, beta: beta, act: act,
      places: { index in
        let start = index / groups * pixels * channels + index % groups * width
        return (0..<pixels * width).map { start + $0 / width * channels + $0 % width }
      },
      group: { $0 / (pixels * channels) * groups + $0 % channels / width })
  }

  /// Rows of x[…,C].
  public convenience init(rowsOf x: [Float], gamma: [Float], beta: [Float]) {
    let width = gamma.count
    self.init(
      x: x, gamma: gamma, beta: beta, act: 0, places: { Array($0 * width..<($0 + 1) * width) },
      group: { $0 / width })
  }

  /// Mean and 1/√(variance + ε) of a group.
  public func statistics(_ group: Int) -> (mean: Double, rstd: Double) {
    if let statistics = known[group] { return statistics }
    let places = places(group)
    let count = Double(places.count)
    let mean = places.reduce(0) { $0 + Double(x[$1]) } / count
    let variance =
      places.reduce(0) { $0 + (Double(x[$1]) - mean) * (Double(x[$1]) - mean) } / count
    let statistics = (mean, 1 / (variance + Self.epsilon).squareRoot())
    known[group] = statistics
    return statistics
  }

  /// Takes statistics as they are given to a backward operation.
  public func use(mean: [Float], rstd: [Float]) {
    for index in mean.indices { known[index] = (Double(mean[index]), Double(rstd[index])) }
  }

  private func normal(_ place: Int) -> Double {
    let (mean, rstd) = statistics(group(place))
    return (Double(x[place]) - mean) * rstd
  }

  private func affine(_ place: Int) -> Double {
    let channel = place % channels
    return normal(place) * Double(gamma[channel]) + Double(beta[channel])
  }

  /// act(norm(x)·gamma + beta).
  public func output(_ place: Int) -> Double { Activation.value(act, affine(place)) }

  /// The cotangent before the activation.
  private func inner(_ place: Int, _ dy: [Float]) -> Double {
    act == 0
      ? Double(dy[place]) : Double(dy[place]) * Activation.derivative(act, affine(place))
  }

  /// The gradient by x: rstd·(g − mean(g) − x̂·mean(g·x̂)) with g = gamma · the inner cotangent.
  public func inputGradient(_ place: Int, _ dy: [Float]) -> Double {
    let index = group(place)
    let (own, scaled): (Double, Double)
    if let sums = knownSums[index] {
      (own, scaled) = sums
    } else {
      let places = places(index)
      var sums = (own: 0.0, scaled: 0.0)
      for other in places {
        let g = inner(other, dy) * Double(gamma[other % channels])
        sums.own += g
        sums.scaled += g * normal(other)
      }
      sums = (sums.own / Double(places.count), sums.scaled / Double(places.count))
      knownSums[index] = sums
      (own, scaled) = sums
    }
    let g = inner(place, dy) * Double(gamma[place % channels])
    return statistics(index).rstd * (g - own - normal(place) * scaled)
  }

  /// The gradients by gamma and beta.
  public func parameterGradients(_ dy: [Float]) -> (gamma: [Double], beta: [Double]) {
    var (dGamma, dBeta) = (
      [Double](repeating: 0, count: channels), [Double](repeating: 0, count: channels)
    )
    for place in x.indices {
      let g = inner(place, dy)
      dGamma[place % channels] += g * normal(place)
      dBeta[place % channels] += g
    }
    return (dGamma, dBeta)
  }
}
