import EspalierPluginKit

/// Euler's method along the noise level, without added noise.
///
/// Keys: see `EulerSchedule`.
/// Source: Karras et al. 2022, algorithm 2 without churn; Diffusers
/// `schedulers/scheduling_euler_discrete.py`.
final class EulerDiscreteScheduler: NoiseSchedulerPlugin {
  static let className = "EulerDiscreteScheduler"
  static let shortName = "euler"
  static let summary = "Euler's method, SDXL's default"

  private var schedule: EulerSchedule

  init(_ settings: PluginSettings) throws(PluginError) { schedule = try EulerSchedule(settings) }

  func setTimesteps(_ inferenceSteps: Int) throws(PluginError) {
    try schedule.setTimesteps(inferenceSteps)
  }

  var callCount: Int { schedule.timesteps.count }
  func timestep(call: Int) -> Double { Double(schedule.timesteps[call]) }
  var initNoiseSigma: Double { Double(schedule.initNoiseSigma) }
  var sigmas: [Double] { schedule.sigmas.map { Double($0) } }
  func modelInputDivisor(call: Int) -> Float { schedule.modelInputDivisor(call: call) }
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

  func noiseWeights(at timestep: Double) throws(PluginError) -> NoiseWeights {
    try schedule.noiseWeights(at: timestep)
  }

  func targetWeights(at timestep: Double) throws(PluginError) -> NoiseWeights {
    try schedule.targetWeights(at: timestep)
  }
}
