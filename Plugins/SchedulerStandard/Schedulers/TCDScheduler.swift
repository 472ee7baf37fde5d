import EspalierPluginKit

/// Trajectory consistency: each call leads down along the trajectory, and noise takes some of it back.
///
/// Keys: those of `NoiseScheduleOptions` and `DistilledSteps.Options`, and `prediction_type`, `eta` (in
/// Diffusers an argument of the step). For models with a TCD's weights.
/// Source: Zheng et al. 2024, "Trajectory Consistency Distillation", algorithm 4; Diffusers
/// `schedulers/scheduling_tcd.py`.
final class TCDScheduler: TrainedTimestepScheduler {
  static let className = "TCDScheduler"
  static let shortName = "tcd"
  static let summary = "Trajectory consistency for models distilled so, 2 to 8 steps"
  static let options: [any DescribedOption] =
    noiseKeys.all + [PredictionType.option, DistilledSteps.option, eta]

  private static let noiseKeys = DistilledSteps.noiseKeys
  private static let eta = PluginOption.number(
    "eta", default: 0.3, where: { $0 >= 0 && $0 <= 1 }, "a number from 0 to 1",
    "Fresh noise in each step: 0 none, 1 as much as LCM")

  let levels: TrainedLevels
  private(set) var timesteps: [Int] = []
  private let steps: DistilledSteps
  private let eta: Double

  init(_ settings: PluginSettings) throws(PluginError) {
    levels = try TrainedLevels(settings, Self.noiseKeys)
    steps = try DistilledSteps(settings, trainTimesteps: levels.trainTimesteps)
    eta = try settings.value(of: Self.eta)
  }

  func setTimesteps(_ inferenceSteps: Int) throws(PluginError) {
    timesteps = try levels.checked(steps.timesteps(inferenceSteps))
  }

  func needsNoise(call: Int) -> Bool { eta > 0 && call < timesteps.count - 1 }

  /// y = √ᾱ_s·x₀ + √(1 − ᾱ_s)·ε at s = (1 − η)·t'; x' = √(ᾱ'/ᾱ_s)·y + √(1 − ᾱ'/ᾱ_s)·noise, in the last
  /// step y itself.
  func step(_ step: SchedulerStep) throws(PluginError) {
    let isLast = step.call == timesteps.count - 1
    let nextTimestep = isLast ? 0 : timesteps[step.call + 1]
    let target = Int(Float(1 - eta) * Float(nextTimestep))
    let (next, between) = (levels.alpha(nextTimestep), levels.alpha(target))
    let (weights, down) = (
      levels.weights(levels.alpha(timesteps[step.call])), levels.weights(between)
    )
    let up = levels.weights(next / between)
    let addsNoise = needsNoise(call: step.call)
    for index in 0..<step.count {
      let (sample, output) = (step.sample[index], step.modelOutput[index])
      let original = levels.predictionType.original(
        output, sample, signal: weights.signal, noise: weights.noise)
      let epsilon = levels.predictionType.epsilon(
        output, sample, signal: weights.signal, noise: weights.noise)
      let noised = down.signal * original + down.noise * epsilon
      step.previousSample[index] =
        addsNoise ? up.signal * noised + up.noise * step.noise[index] : noised
      step.predictedOriginal?[index] = original
    }
  }
}
