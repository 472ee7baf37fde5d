import EspalierPluginKit
import Glibc

/// Noise levels that are spaced by a formula of their own instead of by timesteps.
///
/// Keys: `use_karras_sigmas`, `use_exponential_sigmas`, `use_beta_sigmas`, `sigma_min`, `sigma_max`.
/// Source: Diffusers `schedulers/scheduling_euler_discrete.py`; Karras et al. 2022, equation 5; "Beta
/// Sampling is All You Need" (α = β = 0.6).
struct SigmaSpacing {
  private enum Kind {
    case karras, exponential, beta
  }

  private let kind: Kind
  private let sigmaMin: Double?
  private let sigmaMax: Double?

  /// Nil where no such spacing is asked for.
  init?(_ settings: PluginSettings) throws(PluginError) {
    let asked: [(Kind, String)] = [
      (.karras, "use_karras_sigmas"), (.exponential, "use_exponential_sigmas"),
      (.beta, "use_beta_sigmas"),
    ]
    var chosen: [(Kind, String)] = []
    for choice in asked where try settings.bool(choice.1, default: false) { chosen.append(choice) }
    guard chosen.count < 2 else {
      throw settings.refuse(chosen[1].1, "true", "only one of \(asked.map(\.1))")
    }
    let positive: @Sendable (Double) -> Bool = { $0 > 0 && $0.isFinite }
    sigmaMin = try settings.optionalDouble("sigma_min", where: positive, "a number above 0")
    sigmaMax = try settings.optionalDouble("sigma_max", where: positive, "a number above 0")
    guard let first = chosen.first else { return nil }
    kind = first.0
  }

  /// `count` falling noise levels between those of the schedule that the timesteps gave.
  func sigmas(_ count: Int, from schedule: [Double]) -> [Double] {
    let low = sigmaMin ?? schedule[schedule.count - 1]
    let high = sigmaMax ?? schedule[0]
    switch kind {
    case .karras:
      let rho = 7.0
      let (lowRoot, highRoot) = (pow(low, 1 / rho), pow(high, 1 / rho))
      let ramp: [Double] = evenlySpaced(0, 1, count)
      return ramp.map { pow(highRoot + $0 * (lowRoot - highRoot), rho) }
    case .exponential:
      let logs: [Double] = evenlySpaced(log(high), log(low), count)
      return logs.map { exp($0) }
    case .beta:
      let ramp: [Double] = evenlySpaced(0, 1, count)
      let distribution = BetaDistribution(alpha: 0.6, beta: 0.6)
      return ramp.map { low + distribution.quantile(1 - $0) * (high - low) }
    }
  }
}
