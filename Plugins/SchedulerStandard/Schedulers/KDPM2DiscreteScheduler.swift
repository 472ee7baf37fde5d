import EspalierPluginKit
import Glibc

/// DPM-Solver-2: half a step in log σ, and the slope there for the whole step.
///
/// Keys: see `SigmaScheduleOptions`.
/// Source: Lu et al. 2022, DPM-Solver-2, as k-diffusion's `sample_dpm_2`; Diffusers
/// `schedulers/scheduling_k_dpm_2_discrete.py`.
final class KDPM2DiscreteScheduler: TwoCallScheduler {
  static let className = "KDPM2DiscreteScheduler"
  static let shortName = "dpm2"
  static let summary = "DPM-Solver-2, two model calls a step"
  static let options = keys.all
  static let aliases =
    [SchedulerAlias("dpm_2", summary)] + spacings.aliases(of: shortName, "DPM-Solver-2")

  private static let spacings = SigmaSpacingOptions()
  private static let keys = SigmaScheduleOptions(
    NoiseScheduleOptions(betaStart: 0.00085, betaEnd: 0.012, rescales: false), sigmas: spacings,
    roundsKarrasTimesteps: true)

  private(set) var schedule: SigmaSchedule
  private(set) var steps: TwoCallSteps?

  init(_ settings: PluginSettings) throws(PluginError) {
    schedule = try SigmaSchedule(settings, Self.keys)
  }

  func setTimesteps(_ inferenceSteps: Int) throws(PluginError) {
    try schedule.setTimesteps(inferenceSteps)
    steps = .betweenLevels(of: schedule, to: Array(schedule.sigmas.dropFirst()))
  }

  /// Each level twice, as Diffusers keeps them.
  var sigmas: [Double] { schedule.sigmasByCall }

  func needsNoise(call: Int) -> Bool { false }

  /// x' = x + d · (σ' − σ), d = (y − x₀) / √(σσ') at y, where Euler's step to √(σσ') leads.
  func step(_ step: SchedulerStep) throws(PluginError) {
    try steps?.take(step, ending: .init(sigma: schedule.sigmas[step.call / 2 + 1]))
  }
}

extension TwoCallSteps {
  /// Second calls at the geometric means of the levels and of what a step leads to.
  ///
  /// - Parameter ends: One for each step; the last one is 0, which its step reaches by the first call.
  static func betweenLevels(of schedule: SigmaSchedule, to ends: [Float]) -> TwoCallSteps {
    let middles = zip(schedule.sigmas, ends).map { sigma, end in
      end > 0 ? exp((log(sigma) + log(end)) / 2) : 0
    }
    return TwoCallSteps(
      schedule, middleSigmas: middles,
      middleTimesteps: middles.map { Float(schedule.table.timestep(of: Double($0))) })
  }
}

extension SigmaSchedule {
  /// σ₀, σ₁, σ₁, σ₂, σ₂, …, 0, 0, 0.
  var sigmasByCall: [Double] {
    let inner = sigmas.dropFirst().flatMap { [$0, $0] }
    return (sigmas.prefix(1) + inner + sigmas.suffix(1)).map { Double($0) }
  }
}
