import EspalierPluginKit

/// Consistency sampling: each call predicts the original, which is noised again to the next level.
///
/// Keys: those of `NoiseScheduleOptions`, `DistilledSteps.Options` and `SampleClipOptions`, and
/// `prediction_type`, `timestep_scaling`. For models with an LCM's weights.
/// Source: Luo et al. 2023, "Latent Consistency Models", algorithm 3; Diffusers
/// `schedulers/scheduling_lcm.py`.
final class LCMScheduler: TrainedTimestepScheduler {
  static let className = "LCMScheduler"
  static let shortName = "lcm"
  static let summary = "Consistency sampling for latent consistency models, 2 to 8 steps"
  static let options: [any DescribedOption] =
    noiseKeys.all + [PredictionType.option, DistilledSteps.option, timestepScaling] + clipKeys.all

  private static let noiseKeys = DistilledSteps.noiseKeys
  private static let clipKeys = SampleClipOptions(default: false)
  private static let timestepScaling = PluginOption.number(
    "timestep_scaling", default: 10, where: { $0 > 0 && $0.isFinite }, "a number above 0",
    "How fast the predicted original takes over from the sample with the timestep")

  let levels: TrainedLevels
  private(set) var timesteps: [Int] = []
  private let steps: DistilledSteps
  private let clip: SampleClip
  private let timestepScaling: Double

  init(_ settings: PluginSettings) throws(PluginError) {
    levels = try TrainedLevels(settings, Self.noiseKeys)
    steps = try DistilledSteps(settings, trainTimesteps: levels.trainTimesteps)
    clip = try SampleClip(settings, Self.clipKeys)
    timestepScaling = try settings.value(of: Self.timestepScaling)
    try settings.refuseThresholding()
  }

  func setTimesteps(_ inferenceSteps: Int) throws(PluginError) {
    timesteps = try levels.checked(steps.timesteps(inferenceSteps))
  }

  func needsNoise(call: Int) -> Bool { call < timesteps.count - 1 }

  /// y = c_out · x₀ + c_skip · x; x' = √ᾱ'·y + √(1 − ᾱ')·noise, in the last step y itself.
  func step(_ step: SchedulerStep) throws(PluginError) {
    let timestep = timesteps[step.call]
    let weights = levels.weights(levels.alpha(timestep))
    let isLast = step.call == timesteps.count - 1
    let next = levels.weights(levels.alpha(timesteps[isLast ? step.call : step.call + 1]))
    let scaled = Double(timestep) * timestepScaling
    let sigmaData = 0.5
    let norm = scaled * scaled + sigmaData * sigmaData
    let (skip, out) = (Float(sigmaData * sigmaData / norm), Float(scaled / norm.squareRoot()))
    for index in 0..<step.count {
      let (sample, output) = (step.sample[index], step.modelOutput[index])
      let original = clip(
        levels.predictionType.original(
          output, sample, signal: weights.signal, noise: weights.noise))
      let denoised = out * original + skip * sample
      step.previousSample[index] =
        isLast ? denoised : next.signal * denoised + next.noise * step.noise[index]
      step.predictedOriginal?[index] = denoised
    }
  }
}
