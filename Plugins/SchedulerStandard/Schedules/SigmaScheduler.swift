import EspalierPluginKit

/// A scheduler that steps along σ, by one model call a step.
protocol SigmaScheduler: NoiseSchedulerPlugin {
  var schedule: SigmaSchedule { get }
}

extension SigmaScheduler {
  var callCount: Int { schedule.timesteps.count }
  func timestep(call: Int) -> Double { Double(schedule.timesteps[call]) }
  var initNoiseSigma: Double { Double(schedule.initNoiseSigma) }
  var sigmas: [Double] { schedule.sigmas.map { Double($0) } }

  func modelInputDivisor(call: Int) -> Float {
    SigmaSchedule.inputDivisor(sigma: schedule.sigmas[call])
  }

  func noiseWeights(at timestep: Double) throws(PluginError) -> NoiseWeights {
    try schedule.noiseWeights(at: timestep)
  }

  func targetWeights(at timestep: Double) throws(PluginError) -> NoiseWeights {
    try schedule.targetWeights(at: timestep)
  }
}
