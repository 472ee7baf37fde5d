import Glibc

/// How β, the noise that a training step adds, grows from the first training step to the last. Key:
/// `beta_schedule`.
///
/// Source: Diffusers' schedulers; each of them knows some of these, here all know all.
enum BetaSchedule: String, CaseIterable {
  case linear
  case scaledLinear = "scaled_linear"
  case squaredcosCapV2 = "squaredcos_cap_v2"
  case exponential = "exp"
  case laplace
  case sigmoid

  func betas(_ count: Int, from start: Double, to end: Double) -> [Float] {
    switch self {
    case .linear:
      evenlySpaced(Float(start), Float(end), count)
    case .scaledLinear:
      evenlySpaced(Float(start.squareRoot()), Float(end.squareRoot()), count).map { $0 * $0 }
    case .sigmoid:
      evenlySpaced(-6, 6, count).map {
        1 / (1 + exp(-$0)) * (Float(end) - Float(start)) + Float(start)
      }
    case .squaredcosCapV2:
      Self.betas(count) { time in
        let cosine = cos((time + 0.008) / 1.008 * Double.pi / 2)
        return cosine * cosine
      }
    case .exponential:
      Self.betas(count) { exp($0 * -12) }
    case .laplace:
      Self.betas(count) { time in
        let side = time > 0.5 ? -1.0 : 1
        let snr = exp(-0.5 * side * log(1 - 2 * abs(0.5 - time) + 1e-6))
        return (snr / (1 + snr)).squareRoot()
      }
    }
  }

  /// The β that take ᾱ along a function of the time from 0 to 1, each at most 0.999.
  private static func betas(_ count: Int, _ alphaBar: (Double) -> Double) -> [Float] {
    (0..<count).map { index in
      let now = alphaBar(Double(index) / Double(count))
      let next = alphaBar(Double(index + 1) / Double(count))
      return Float(min(1 - next / now, 0.999))
    }
  }
}
