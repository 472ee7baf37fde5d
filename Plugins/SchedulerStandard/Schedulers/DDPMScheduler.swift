import EspalierPluginKit
import Glibc

/// Denoising diffusion's ancestral sampling, and its noise for training.
///
/// Keys: those of `NoiseScheduleOptions`, `TimestepSpacingOptions` and `SampleClipOptions`, and
/// `prediction_type`, `variance_type`. Refused: learned variances and `thresholding`, which SDXL's
/// latents do not use, and `fixed_large_log`, whose step is not a number in Diffusers.
/// Source: Ho et al. 2020, equations 7 and 15; Diffusers `schedulers/scheduling_ddpm.py`.
final class DDPMScheduler: TrainedTimestepScheduler {
  static let className = "DDPMScheduler"
  static let shortName = "ddpm"
  static let summary = "The original ancestral sampling"
  static let options: [any DescribedOption] =
    noiseKeys.all + [PredictionType.option] + spacingKeys.all + [varianceType] + clipKeys.all

  private static let noiseKeys = NoiseScheduleOptions(rescales: true)
  private static let spacingKeys = TimestepSpacingOptions(default: .leading)
  private static let varianceType = PluginOption.choice(
    "variance_type", default: Variance.fixedSmall, "How much noise a step adds")
  private static let clipKeys = SampleClipOptions(default: true)

  let levels: TrainedLevels
  private(set) var timesteps: [Int] = []
  private let spacing: TimestepSpacing
  private let variance: Variance
  private let clip: SampleClip

  private enum Variance: String, CaseIterable {
    case fixedSmall = "fixed_small"
    case fixedSmallLog = "fixed_small_log"
    case fixedLarge = "fixed_large"
  }

  init(_ settings: PluginSettings) throws(PluginError) {
    levels = try TrainedLevels(settings, Self.noiseKeys)
    spacing = try TimestepSpacing(settings, Self.spacingKeys)
    variance = try settings.value(of: Self.varianceType)
    clip = try SampleClip(settings, Self.clipKeys)
    try settings.refuseThresholding()
  }

  func setTimesteps(_ inferenceSteps: Int) throws(PluginError) {
    timesteps = try levels.checked(
      spacing.wholeTimesteps(inferenceSteps, trainTimesteps: levels.trainTimesteps))
  }

  func needsNoise(call: Int) -> Bool { timesteps[call] > 0 }

  /// x' = √ᾱ'·β/(1 − ᾱ) · x₀ + √α·(1 − ᾱ')/(1 − ᾱ) · x + deviation · noise.
  func step(_ step: SchedulerStep) throws(PluginError) {
    let timestep = timesteps[step.call]
    let now = levels.alpha(timestep)
    let next = levels.alpha(step.call + 1 < timesteps.count ? timesteps[step.call + 1] : -1)
    let (alpha, rest) = (now / next, 1 - now)
    let beta = 1 - alpha
    let originalWeight = next.squareRoot() * beta / rest
    let sampleWeight = alpha.squareRoot() * (1 - next) / rest
    let deviation = timestep > 0 ? deviation(beta: beta, rest: rest, nextRest: 1 - next) : 0
    let weights = levels.weights(now)
    for index in 0..<step.count {
      let (sample, output) = (step.sample[index], step.modelOutput[index])
      let original = clip(
        levels.predictionType.original(
          output, sample, signal: weights.signal, noise: weights.noise))
      var previous = originalWeight * original + sampleWeight * sample
      if timestep > 0 { previous += deviation * step.noise[index] }
      step.previousSample[index] = previous
      step.predictedOriginal?[index] = original
    }
  }

  private func deviation(beta: Float, rest: Float, nextRest: Float) -> Float {
    let small = max(nextRest / rest * beta, 1e-20)
    switch variance {
    case .fixedSmall: return small.squareRoot()
    case .fixedSmallLog: return exp(0.5 * log(small))
    case .fixedLarge: return beta.squareRoot()
    }
  }
}
