import EspalierPluginKit

/// Euler's method to a level below the next one, then fresh noise up to it.
///
/// Keys: those of `NoiseSchedule` and `TimestepSpacing`, and `prediction_type` (not `sample`).
/// Source: k-diffusion's ancestral sampling; Diffusers
/// `schedulers/scheduling_euler_ancestral_discrete.py`, which draws noise for the last step too.
final class EulerAncestralDiscreteScheduler: NoiseSchedulerPlugin {
  static let className = "EulerAncestralDiscreteScheduler"
  static let shortName = "euler_ancestral"
  static let summary = "Euler's method with fresh noise at each step"

  private var schedule: EulerSchedule

  init(_ settings: PluginSettings) throws(PluginError) {
    schedule = try EulerSchedule(settings.only(Self.keys))
    guard schedule.predictionType != .sample else {
      throw settings.refuse("prediction_type", "\"sample\"", "one of epsilon, v_prediction")
    }
  }

  /// Other keys of Euler's schedule mean nothing here and are ignored, as Diffusers ignores them.
  private static let keys: Set<String> = [
    "num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas",
    "prediction_type", "timestep_spacing", "steps_offset", "rescale_betas_zero_snr",
  ]

  func setTimesteps(_ inferenceSteps: Int) throws(PluginError) {
    try schedule.setTimesteps(inferenceSteps)
  }

  var callCount: Int { schedule.timesteps.count }
  func timestep(call: Int) -> Double { Double(schedule.timesteps[call]) }
  var initNoiseSigma: Double { Double(schedule.initNoiseSigma) }
  var sigmas: [Double] { schedule.sigmas.map { Double($0) } }
  func modelInputDivisor(call: Int) -> Float { schedule.modelInputDivisor(call: call) }
  func needsNoise(call: Int) -> Bool { true }

  /// σ_up² = σ'²(σ² − σ'²)/σ², σ_down² = σ'² − σ_up²; x' = x + (x − x₀) / σ · (σ_down − σ) + σ_up · noise.
  func step(_ step: SchedulerStep) throws(PluginError) {
    let schedule = schedule
    let (sigma, next) = (schedule.sigmas[step.call], schedule.sigmas[step.call + 1])
    let (sigma2, next2) = (sigma * sigma, next * next)
    let sigmaUp = (next2 * (sigma2 - next2) / sigma2).squareRoot()
    let sigmaDown = (next2 - sigmaUp * sigmaUp).squareRoot()
    let dt = sigmaDown - sigma
    for index in 0..<step.count {
      let sample = step.sample[index]
      let original = schedule.predictedOriginal(step.modelOutput[index], sample, sigma: sigma)
      step.previousSample[index] =
        sample + (sample - original) / sigma * dt + step.noise[index] * sigmaUp
      step.predictedOriginal?[index] = original
    }
  }

  func noiseWeights(at timestep: Double) throws(PluginError) -> NoiseWeights {
    try schedule.noiseWeights(at: timestep)
  }

  func targetWeights(at timestep: Double) throws(PluginError) -> NoiseWeights {
    try schedule.targetWeights(at: timestep)
  }
}
