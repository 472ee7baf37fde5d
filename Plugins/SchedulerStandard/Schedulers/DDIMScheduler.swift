import EspalierPluginKit

/// Implicit sampling: the predicted original, noised again by the predicted noise to the next level.
///
/// Keys: those of `NoiseScheduleOptions`, `TimestepSpacingOptions` and `SampleClipOptions`, and
/// `prediction_type`, `set_alpha_to_one`, `eta` (in Diffusers an argument of the step).
/// Source: Song et al. 2020, "Denoising Diffusion Implicit Models", equation 12; Diffusers
/// `schedulers/scheduling_ddim.py`, where a step leads num_train_timesteps / steps down with every
/// spacing.
final class DDIMScheduler: TrainedTimestepScheduler {
  static let className = "DDIMScheduler"
  static let shortName = "ddim"
  static let summary = "Implicit sampling; eta adds noise"
  static let options: [any DescribedOption] =
    noiseKeys.all + [PredictionType.option] + spacingKeys.all + [alphaToOne, eta] + clipKeys.all

  private static let noiseKeys = NoiseScheduleOptions(rescales: true)
  private static let spacingKeys = TimestepSpacingOptions(default: .leading)
  private static let alphaToOne = TrainedLevels.alphaToOne(default: true)
  private static let clipKeys = SampleClipOptions(default: true)
  private static let eta = PluginOption.number(
    "eta", default: 0, where: { $0 >= 0 && $0 <= 1 }, "a number from 0 to 1",
    "Fresh noise in each step: 0 none, 1 as much as DDPM")

  let levels: TrainedLevels
  private(set) var timesteps: [Int] = []
  private let spacing: TimestepSpacing
  private let clip: SampleClip
  private let eta: Float

  init(_ settings: PluginSettings) throws(PluginError) {
    levels = try TrainedLevels(settings, Self.noiseKeys, setsAlphaToOne: Self.alphaToOne)
    spacing = try TimestepSpacing(settings, Self.spacingKeys)
    clip = try SampleClip(settings, Self.clipKeys)
    eta = Float(try settings.value(of: Self.eta))
    try settings.refuseThresholding()
  }

  func setTimesteps(_ inferenceSteps: Int) throws(PluginError) {
    timesteps = try levels.checked(
      spacing.wholeTimesteps(inferenceSteps, trainTimesteps: levels.trainTimesteps))
  }

  func needsNoise(call: Int) -> Bool { eta > 0 }

  /// x' = √ᾱ'·x₀ + √(1 − ᾱ' − s²)·ε + s·noise, s² = η²·(1 − ᾱ')/(1 − ᾱ)·(1 − ᾱ/ᾱ').
  func step(_ step: SchedulerStep) throws(PluginError) {
    let timestep = timesteps[step.call]
    let now = levels.alpha(timestep)
    let next = levels.alpha(timestep - levels.trainTimesteps / timesteps.count)
    let deviation = eta * ((1 - next) / (1 - now) * (1 - now / next)).squareRoot()
    // With η = 1 and no signal left, rounding may take this below 0.
    let direction = max(1 - next - deviation * deviation, 0).squareRoot()
    let (weights, signal) = (levels.weights(now), next.squareRoot())
    for index in 0..<step.count {
      let (sample, output) = (step.sample[index], step.modelOutput[index])
      let original = clip(
        levels.predictionType.original(
          output, sample, signal: weights.signal, noise: weights.noise))
      let epsilon = levels.predictionType.epsilon(
        output, sample, signal: weights.signal, noise: weights.noise)
      var previous = signal * original + direction * epsilon
      if eta > 0 { previous += deviation * step.noise[index] }
      step.previousSample[index] = previous
      step.predictedOriginal?[index] = original
    }
  }
}
