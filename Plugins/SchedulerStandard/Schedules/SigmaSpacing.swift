import EspalierPluginKit
import Glibc

/// Noise levels that are spaced by a formula of their own instead of by timesteps.
///
/// Keys: see `SigmaSpacingOptions`.
/// Source: Diffusers `schedulers/scheduling_euler_discrete.py` and `scheduling_dpmsolver_multistep.py`;
/// Karras et al. 2022, equation 5; Lu et al. 2022 (DPM-Solver), section 3.4; "Beta Sampling is All You
/// Need" (α = β = 0.6).
struct SigmaSpacing {
  enum Kind {
    case karras, lu, exponential, beta
  }

  let kind: Kind
  private let sigmaMin: Double?
  private let sigmaMax: Double?

  /// Nil where no such spacing is asked for.
  init?(_ settings: PluginSettings, _ options: SigmaSpacingOptions) throws(PluginError) {
    let asked = [
      (Kind.karras, options.karras), (.exponential, options.exponential), (.beta, options.beta),
    ]
    var chosen: [(kind: Kind, name: String)] = []
    for (kind, option) in asked where try settings.value(of: option) {
      chosen.append((kind, option.description.name))
    }
    guard chosen.count < 2 else {
      throw settings.refuse(
        chosen[1].name, "true", "only one of \(asked.map(\.1.description.name))")
    }
    var isLu = false
    if let lu = options.lu { isLu = try settings.value(of: lu) }
    sigmaMin = try settings.value(of: options.sigmaMin)
    sigmaMax = try settings.value(of: options.sigmaMax)
    // Of Lu's and another spacing Diffusers takes Karras' first, then Lu's.
    let first = chosen.first?.kind
    guard let kind = isLu && first != .karras ? .lu : first else { return nil }
    self.kind = kind
  }

  /// `count` falling noise levels between two, which `sigma_min` and `sigma_max` replace.
  func sigmas(_ count: Int, from highest: Double, to lowest: Double) -> [Double] {
    if kind == .lu { return Self.exponential(count, highest, lowest) }
    let (low, high) = (sigmaMin ?? lowest, sigmaMax ?? highest)
    switch kind {
    case .karras:
      let rho = 7.0
      let (lowRoot, highRoot) = (pow(low, 1 / rho), pow(high, 1 / rho))
      let ramp: [Double] = evenlySpaced(0, 1, count)
      return ramp.map { pow(highRoot + $0 * (lowRoot - highRoot), rho) }
    case .lu, .exponential:
      return Self.exponential(count, high, low)
    case .beta:
      let ramp: [Double] = evenlySpaced(0, 1, count)
      let distribution = BetaDistribution(alpha: 0.6, beta: 0.6)
      return ramp.map { low + distribution.quantile(1 - $0) * (high - low) }
    }
  }

  private static func exponential(_ count: Int, _ high: Double, _ low: Double) -> [Double] {
    let logs: [Double] = evenlySpaced(log(high), log(low), count)
    return logs.map { exp($0) }
  }
}

/// The keys of spacings of noise levels.
struct SigmaSpacingOptions: Sendable {
  let karras = PluginOption.bool(
    "use_karras_sigmas", default: false, "Spaces the noise levels as Karras et al. do")
  let exponential = PluginOption.bool(
    "use_exponential_sigmas", default: false, "Spaces the logarithms of the noise levels evenly")
  let beta = PluginOption.bool(
    "use_beta_sigmas", default: false,
    "Spaces the noise levels by a beta distribution: more steps at both ends")
  /// Nil for a class that has no such key.
  let lu: PluginOption<Bool>?
  let sigmaMin = PluginOption.number(
    "sigma_min", where: { $0 > 0 && $0.isFinite }, "a number above 0",
    "Lowest noise level of a spacing above 0, in place of the schedule's")
  let sigmaMax = PluginOption.number(
    "sigma_max", where: { $0 > 0 && $0.isFinite }, "a number above 0",
    "Highest noise level of a spacing, in place of the schedule's")

  init(lu: Bool = false) {
    self.lu =
      lu ? .bool("use_lu_lambdas", default: false, "Spaces the noise levels as Lu et al. do") : nil
  }

  var all: [any DescribedOption] {
    let all: [any DescribedOption] = [karras, exponential, beta, sigmaMin, sigmaMax]
    return lu.map { all + [$0] } ?? all
  }

  /// NAME_karras, NAME_exponential and NAME_beta.
  ///
  /// - Parameter preset: What NAME itself stands for.
  func aliases(of name: String, _ summary: String, _ preset: [OptionSetting] = [])
    -> [SchedulerAlias]
  {
    let spacings = [("karras", karras), ("exponential", exponential), ("beta", beta)]
    let off =
      [karras, exponential, beta].map { $0.set(false) } + (lu.map { [$0.set(false)] } ?? [])
    return spacings.map { suffix, option in
      let words = suffix == "karras" ? "Karras'" : suffix
      return SchedulerAlias(
        "\(name)_\(suffix)", "\(summary), \(words) noise levels",
        preset + off + [option.set(true)])
    }
  }
}
