import EspalierPluginKit

/// DPM-Solver-2 to a level below the next one, then fresh noise up to it.
///
/// Keys: see `SigmaScheduleOptions`.
/// Source: k-diffusion's `sample_dpm_2_ancestral`; Diffusers
/// `schedulers/scheduling_k_dpm_2_ancestral_discrete.py`.
final class KDPM2AncestralDiscreteScheduler: TwoCallScheduler {
  static let className = "KDPM2AncestralDiscreteScheduler"
  static let shortName = "dpm2_ancestral"
  static let summary = "DPM-Solver-2 with fresh noise at each step"
  static let options = keys.all
  static let aliases =
    [SchedulerAlias("dpm2_a", summary), SchedulerAlias("dpm_2_ancestral", summary)]
    + spacings.aliases(of: shortName, "DPM-Solver-2 with noise")
    + spacings.aliases(of: "dpm2_a", "DPM-Solver-2 with noise")

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
    steps = .betweenLevels(of: schedule, to: (0..<inferenceSteps).map { levels($0).down })
  }

  private func levels(_ index: Int) -> AncestralLevels {
    AncestralLevels(from: schedule.sigmas[index], to: schedule.sigmas[index + 1])
  }

  /// Each level twice, as Diffusers keeps them.
  var sigmas: [Double] { schedule.sigmasByCall }

  func needsNoise(call: Int) -> Bool { TwoCallSteps.isSecond(call) }

  /// x' = x + d · (σ_down − σ) + σ_up · noise, d at √(σσ_down) as in `KDPM2DiscreteScheduler`.
  func step(_ step: SchedulerStep) throws(PluginError) {
    let levels = levels(step.call / 2)
    try steps?.take(step, ending: .init(sigma: levels.down, noise: levels.up))
  }
}
