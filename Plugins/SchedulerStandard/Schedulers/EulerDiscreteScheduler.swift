import EspalierPluginKit

/// Euler's method along the noise level, without added noise.
///
/// Keys: see `SigmaScheduleOptions`.
/// Source: Karras et al. 2022, algorithm 2 without churn; Diffusers
/// `schedulers/scheduling_euler_discrete.py`.
final class EulerDiscreteScheduler: SigmaScheduler {
  static let className = "EulerDiscreteScheduler"
  static let shortName = "euler"
  static let summary = "Euler's method, SDXL's default"
  static let options = keys.all
  static let aliases = spacings.aliases(of: shortName, "Euler's method")

  private static let spacings = SigmaSpacingOptions()
  private static let keys = SigmaScheduleOptions(
    NoiseScheduleOptions(rescales: true), sigmas: spacings, euler: .init())

  private(set) var schedule: SigmaSchedule

  init(_ settings: PluginSettings) throws(PluginError) {
    schedule = try SigmaSchedule(settings, Self.keys)
  }

  func setTimesteps(_ inferenceSteps: Int) throws(PluginError) {
    try schedule.setTimesteps(inferenceSteps)
  }

  func needsNoise(call: Int) -> Bool { false }

  /// x' = x + (x − x₀) / σ · (σ' − σ).
  func step(_ step: SchedulerStep) throws(PluginError) {
    let schedule = schedule
    let sigma = schedule.sigmas[step.call]
    let dt = schedule.sigmas[step.call + 1] - sigma
    for index in 0..<step.count {
      let sample = step.sample[index]
      let original = schedule.predictedOriginal(step.modelOutput[index], sample, sigma: sigma)
      step.previousSample[index] = sample + (sample - original) / sigma * dt
      step.predictedOriginal?[index] = original
    }
  }
}
