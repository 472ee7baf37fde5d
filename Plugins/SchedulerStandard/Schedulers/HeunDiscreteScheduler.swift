import EspalierPluginKit

/// Heun's method: Euler's step, then a second call at its end whose slope is averaged with the first one's.
///
/// Keys: those of `SigmaScheduleOptions` and `SampleClipOptions`.
/// Source: Karras et al. 2022, algorithm 1; Diffusers `schedulers/scheduling_heun_discrete.py`.
final class HeunDiscreteScheduler: TwoCallScheduler {
  static let className = "HeunDiscreteScheduler"
  static let shortName = "heun"
  static let summary = "Heun's method, two model calls a step"
  static let options = keys.all + clipKeys.all
  static let aliases = spacings.aliases(of: shortName, "Heun's method")

  private static let spacings = SigmaSpacingOptions()
  private static let keys = SigmaScheduleOptions(
    NoiseScheduleOptions(betaStart: 0.00085, betaEnd: 0.012, rescales: false), sigmas: spacings)
  private static let clipKeys = SampleClipOptions(default: false)

  private(set) var schedule: SigmaSchedule
  private(set) var steps: TwoCallSteps?
  private let clip: SampleClip

  init(_ settings: PluginSettings) throws(PluginError) {
    schedule = try SigmaSchedule(settings, Self.keys)
    clip = try SampleClip(settings, Self.clipKeys)
  }

  func setTimesteps(_ inferenceSteps: Int) throws(PluginError) {
    try schedule.setTimesteps(inferenceSteps)
    steps = TwoCallSteps(
      schedule, middleSigmas: Array(schedule.sigmas.dropFirst()),
      middleTimesteps: Array(schedule.timesteps.dropFirst()))
  }

  /// That of each call, and the final one.
  var sigmas: [Double] {
    guard let steps else { return schedule.sigmas.map { Double($0) } }
    return (0..<steps.callCount).map { Double(steps.sigma($0)) } + [0]
  }

  func needsNoise(call: Int) -> Bool { false }

  /// x' = x + (d + d') / 2 · (σ' − σ), d = (x − x₀) / σ, d' at the end of Euler's step.
  func step(_ step: SchedulerStep) throws(PluginError) {
    let next = schedule.sigmas[step.call / 2 + 1]
    try steps?.take(step, ending: .init(sigma: next, averages: true), clip: clip)
  }
}
