import EspalierPluginKit

/// What the library offers: one plugin of the name in its file name, with any number of classes.
@c(espalier_register_plugins)
public func registerPlugins() {
  PluginRegistration.schedulers(
    "example", version: "0.1.0", summary: "Deterministic DDIM", ExampleScheduler.self)
}

/// Deterministic DDIM for models that predict the noise.
///
/// Source: Song et al. 2020, "Denoising Diffusion Implicit Models", equation 12 with σ = 0.
final class ExampleScheduler: NoiseSchedulerPlugin {
  static let className = "ExampleScheduler"
  static let shortName = "example"
  static let summary = "Deterministic DDIM"
  static let options: [any DescribedOption] = [trainTimesteps, betaStart, betaEnd, stepsOffset]

  // The keys of scheduler_config.json that it reads, and that --scheduler_option sets.
  private static let trainTimesteps = PluginOption.int(
    "num_train_timesteps", default: 1000, in: 2...1_000_000, "Timesteps of the training")
  private static let betaStart = PluginOption.number(
    "beta_start", default: 0.00085, where: { 0 < $0 && $0 < 1 }, "a number between 0 and 1",
    "First beta of the scaled-linear schedule")
  private static let betaEnd = PluginOption.number(
    "beta_end", default: 0.012, where: { 0 < $0 && $0 < 1 }, "a number between 0 and 1",
    "Last beta of the scaled-linear schedule")
  private static let stepsOffset = PluginOption.int(
    "steps_offset", default: 1, in: 0...1000, "Added to every timestep")

  /// ᾱ_t: the part of the signal's power left at each training timestep.
  private let alphasCumprod: [Double]
  private let offset: Int
  private var timesteps: [Int] = []

  init(_ settings: PluginSettings) throws(PluginError) {
    let count = try settings.value(of: Self.trainTimesteps)
    let first = try settings.value(of: Self.betaStart).squareRoot()
    let last = try settings.value(of: Self.betaEnd).squareRoot()
    offset = try settings.value(of: Self.stepsOffset)
    var product = 1.0
    alphasCumprod = (0..<count).map { index in
      let root = first + (last - first) * Double(index) / Double(count - 1)
      product *= 1 - root * root
      return product
    }
  }

  func setTimesteps(_ inferenceSteps: Int) throws(PluginError) {
    guard inferenceSteps <= alphasCumprod.count else {
      throw .invalidArgument(
        "ExampleScheduler: \(inferenceSteps) steps; at most \(alphasCumprod.count), as in training")
    }
    let spacing = alphasCumprod.count / inferenceSteps
    timesteps = (0..<inferenceSteps).reversed().map {
      min($0 * spacing + offset, alphasCumprod.count - 1)
    }
  }

  var callCount: Int { timesteps.count }
  func timestep(call: Int) -> Double { Double(timesteps[call]) }
  var initNoiseSigma: Double { 1 }
  func needsNoise(call: Int) -> Bool { false }

  var sigmas: [Double] {
    timesteps.map { ((1 - alphasCumprod[$0]) / alphasCumprod[$0]).squareRoot() } + [0]
  }

  /// x₀ = (x − √(1 − ᾱ)·ε) / √ᾱ, then x' = √ᾱ'·x₀ + √(1 − ᾱ')·ε.
  func step(_ step: SchedulerStep) throws(PluginError) {
    let now = alphasCumprod[timesteps[step.call]]
    let isLast = step.call + 1 == timesteps.count
    let next = isLast ? alphasCumprod[0] : alphasCumprod[timesteps[step.call + 1]]
    let (signal, noise) = (Float(now.squareRoot()), Float((1 - now).squareRoot()))
    let (nextSignal, nextNoise) = (Float(next.squareRoot()), Float((1 - next).squareRoot()))
    for index in 0..<step.count {
      let epsilon = step.modelOutput[index]
      let original = (step.sample[index] - noise * epsilon) / signal
      step.previousSample[index] = nextSignal * original + nextNoise * epsilon
      step.predictedOriginal?[index] = original
    }
  }

  func noiseWeights(at timestep: Double) throws(PluginError) -> NoiseWeights {
    guard let index = Int(exactly: timestep), alphasCumprod.indices.contains(index) else {
      throw .invalidArgument(
        "ExampleScheduler: timestep \(timestep) is outside the training schedule")
    }
    return NoiseWeights(
      signal: Float(alphasCumprod[index].squareRoot()),
      noise: Float((1 - alphasCumprod[index]).squareRoot()))
  }

  /// The model predicts the noise.
  func targetWeights(at timestep: Double) throws(PluginError) -> NoiseWeights {
    NoiseWeights(signal: 0, noise: 1)
  }
}
