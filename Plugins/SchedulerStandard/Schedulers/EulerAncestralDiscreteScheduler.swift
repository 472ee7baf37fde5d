import EspalierPluginKit

/// Euler's method to a level below the next one, then fresh noise up to it.
///
/// Keys: those of `NoiseScheduleOptions` and `TimestepSpacingOptions`, and `prediction_type`.
/// Source: k-diffusion's ancestral sampling; Diffusers
/// `schedulers/scheduling_euler_ancestral_discrete.py`, which draws noise for the last step too.
final class EulerAncestralDiscreteScheduler: SigmaScheduler {
  static let className = "EulerAncestralDiscreteScheduler"
  static let shortName = "euler_ancestral"
  static let summary = "Euler's method with fresh noise at each step"
  static let options = keys.all
  static let aliases = [SchedulerAlias("euler_a", summary)]

  private static let keys = SigmaScheduleOptions(NoiseScheduleOptions(rescales: true), sigmas: nil)

  private(set) var schedule: SigmaSchedule

  init(_ settings: PluginSettings) throws(PluginError) {
    schedule = try SigmaSchedule(settings, Self.keys)
  }

  func setTimesteps(_ inferenceSteps: Int) throws(PluginError) {
    try schedule.setTimesteps(inferenceSteps)
  }

  func needsNoise(call: Int) -> Bool { true }

  /// x' = x + (x − x₀) / σ · (σ_down − σ) + σ_up · noise.
  func step(_ step: SchedulerStep) throws(PluginError) {
    let schedule = schedule
    let sigma = schedule.sigmas[step.call]
    let levels = AncestralLevels(from: sigma, to: schedule.sigmas[step.call + 1])
    let dt = levels.down - sigma
    for index in 0..<step.count {
      let sample = step.sample[index]
      let original = schedule.predictedOriginal(step.modelOutput[index], sample, sigma: sigma)
      step.previousSample[index] =
        sample + (sample - original) / sigma * dt + step.noise[index] * levels.up
      step.predictedOriginal?[index] = original
    }
  }
}
