import EspalierPluginKit
import Glibc

/// Denoising diffusion's ancestral sampling, and its noise for training.
///
/// Keys: those of `NoiseSchedule` and `TimestepSpacing`, and `prediction_type`, `variance_type`,
/// `clip_sample`, `clip_sample_range`. Refused: learned variances and `thresholding`, which SDXL's
/// latents do not use, and `fixed_large_log`, whose step is not a number in Diffusers.
/// Source: Ho et al. 2020, equations 7 and 15; Diffusers `schedulers/scheduling_ddpm.py`.
final class DDPMScheduler: NoiseSchedulerPlugin {
  static let className = "DDPMScheduler"
  static let shortName = "ddpm"
  static let summary = "The original ancestral sampling"

  private let noise: NoiseSchedule
  private let spacing: TimestepSpacing
  private let predictionType: PredictionType
  private let variance: Variance
  private let clipRange: Float?
  private var timesteps: [Int] = []

  private enum Variance: String, CaseIterable {
    case fixedSmall = "fixed_small"
    case fixedSmallLog = "fixed_small_log"
    case fixedLarge = "fixed_large"
  }

  init(_ settings: PluginSettings) throws(PluginError) {
    noise = try NoiseSchedule(settings, terminalAlpha: nil)
    spacing = try TimestepSpacing(settings, default: .leading)
    predictionType = try settings.choice("prediction_type", default: .epsilon)
    variance = try settings.choice("variance_type", default: .fixedSmall)
    let range = try settings.double(
      "clip_sample_range", default: 1, where: { $0 > 0 }, "a number above 0")
    clipRange = try settings.bool("clip_sample", default: true) ? Float(range) : nil
    guard try !settings.bool("thresholding", default: false) else {
      throw settings.refuse("thresholding", "true", "false; it does not suit latents")
    }
    guard noise.alphasCumprod[noise.trainTimesteps - 1] > 0 || predictionType != .epsilon else {
      throw settings.refuse(
        "prediction_type", "\"epsilon\"",
        "one of sample, v_prediction, since rescale_betas_zero_snr leaves no signal to divide by")
    }
  }

  func setTimesteps(_ inferenceSteps: Int) throws(PluginError) {
    let steps = try spacing.timesteps(inferenceSteps, trainTimesteps: noise.trainTimesteps)
      .map { Int($0.rounded(.toNearestOrEven)) }
    guard let first = steps.first, first < noise.trainTimesteps else {
      throw .invalidArgument(
        "DDPMScheduler: steps_offset moves the first timestep beyond num_train_timesteps − 1, "
          + "\(noise.trainTimesteps - 1); use a smaller offset or fewer steps")
    }
    timesteps = steps
  }

  var callCount: Int { timesteps.count }
  func timestep(call: Int) -> Double { Double(timesteps[call]) }
  var initNoiseSigma: Double { 1 }
  func needsNoise(call: Int) -> Bool { timesteps[call] > 0 }

  var sigmas: [Double] {
    timesteps.map { ((1 - Double(alpha($0))) / Double(alpha($0))).squareRoot() } + [0]
  }

  private func alpha(_ timestep: Int) -> Float {
    timestep < 0 ? 1 : noise.alphasCumprod[timestep]
  }

  /// x' = √ᾱ'·β/(1 − ᾱ) · x₀ + √α·(1 − ᾱ')/(1 − ᾱ) · x + deviation · noise.
  func step(_ step: SchedulerStep) throws(PluginError) {
    let timestep = timesteps[step.call]
    let now = alpha(timestep)
    let next = alpha(step.call + 1 < timesteps.count ? timesteps[step.call + 1] : -1)
    let (alpha, rest) = (now / next, 1 - now)
    let beta = 1 - alpha
    let originalWeight = next.squareRoot() * beta / rest
    let sampleWeight = alpha.squareRoot() * (1 - next) / rest
    let deviation = timestep > 0 ? deviation(beta: beta, rest: rest, nextRest: 1 - next) : 0
    let (signalRoot, noiseRoot) = (now.squareRoot(), rest.squareRoot())
    for index in 0..<step.count {
      let (sample, output) = (step.sample[index], step.modelOutput[index])
      var original: Float
      switch predictionType {
      case .epsilon: original = (sample - noiseRoot * output) / signalRoot
      case .sample: original = output
      case .vPrediction: original = signalRoot * sample - noiseRoot * output
      }
      if let clipRange { original = min(max(original, -clipRange), clipRange) }
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

  func noiseWeights(at timestep: Double) throws(PluginError) -> NoiseWeights {
    let alpha = try trainedAlpha(at: timestep)
    return NoiseWeights(signal: alpha.squareRoot(), noise: (1 - alpha).squareRoot())
  }

  func targetWeights(at timestep: Double) throws(PluginError) -> NoiseWeights {
    let alpha = try trainedAlpha(at: timestep)
    return predictionType.targetWeights(
      signal: alpha.squareRoot(), noise: (1 - alpha).squareRoot())
  }

  private func trainedAlpha(at timestep: Double) throws(PluginError) -> Float {
    guard let index = Int(exactly: timestep), noise.alphasCumprod.indices.contains(index) else {
      throw .invalidArgument(
        "timestep \(timestep); allowed: whole numbers from 0 to \(noise.trainTimesteps - 1)")
    }
    return noise.alphasCumprod[index]
  }
}
