import EspalierPluginKit

/// ᾱ of the training timesteps and of the sample without noise, for schedulers that go from timestep to
/// timestep.
struct TrainedLevels {
  let predictionType: PredictionType
  /// ᾱ of what comes after timestep 0.
  let finalAlpha: Float
  private let noise: NoiseSchedule

  var trainTimesteps: Int { noise.trainTimesteps }

  /// - Parameter setsAlphaToOne: Key `set_alpha_to_one`; nil stands for true.
  init(
    _ settings: PluginSettings, _ options: NoiseScheduleOptions,
    setsAlphaToOne: PluginOption<Bool>? = nil
  ) throws(PluginError) {
    noise = try NoiseSchedule(settings, options)
    predictionType = try settings.value(of: PredictionType.option)
    var isOne = true
    if let setsAlphaToOne { isOne = try settings.value(of: setsAlphaToOne) }
    finalAlpha = isOne ? 1 : noise.alphasCumprod[0]
  }

  /// - Returns: `timesteps`.
  /// - Throws: `PluginError` where no signal is left at one of them that a predicted noise could be
  ///   subtracted from.
  func checked(_ timesteps: [Int]) throws(PluginError) -> [Int] {
    if predictionType == .epsilon, let timestep = timesteps.first(where: { alpha($0) == 0 }) {
      throw .invalidArgument(
        "prediction_type is epsilon, but rescale_betas_zero_snr leaves no signal at timestep "
          + "\(timestep); allowed: v_prediction or sample, or timestep_spacing leading")
    }
    return timesteps
  }

  /// ᾱ of a timestep below `trainTimesteps`; the final one below 0.
  func alpha(_ timestep: Int) -> Float {
    timestep < 0 ? finalAlpha : noise.alphasCumprod[min(timestep, trainTimesteps - 1)]
  }

  /// √ᾱ and √(1 − ᾱ).
  func weights(_ alpha: Float) -> NoiseWeights {
    NoiseWeights(signal: alpha.squareRoot(), noise: (1 - alpha).squareRoot())
  }

  /// σ of the timesteps and of the final sample.
  func sigmas(_ timesteps: [Int]) -> [Double] {
    (timesteps.map { alpha($0) } + [finalAlpha]).map { (Double(1 - $0) / Double($0)).squareRoot() }
  }

  /// - Throws: `PluginError` for what is no timestep of training.
  func noiseWeights(at timestep: Double) throws(PluginError) -> NoiseWeights {
    guard let index = Int(exactly: timestep), noise.alphasCumprod.indices.contains(index) else {
      throw .invalidArgument(
        "timestep \(timestep); allowed: whole numbers from 0 to \(trainTimesteps - 1)")
    }
    return weights(noise.alphasCumprod[index])
  }

  static func alphaToOne(default fallback: Bool) -> PluginOption<Bool> {
    .bool(
      "set_alpha_to_one", default: fallback,
      "Lets the last step go to no noise instead of the first timestep's")
  }
}

/// A scheduler that goes from one training timestep to another.
protocol TrainedTimestepScheduler: NoiseSchedulerPlugin {
  var levels: TrainedLevels { get }
  var timesteps: [Int] { get }
}

extension TrainedTimestepScheduler {
  var callCount: Int { timesteps.count }
  func timestep(call: Int) -> Double { Double(timesteps[call]) }
  var initNoiseSigma: Double { 1 }
  var sigmas: [Double] { levels.sigmas(timesteps) }

  func noiseWeights(at timestep: Double) throws(PluginError) -> NoiseWeights {
    try levels.noiseWeights(at: timestep)
  }

  func targetWeights(at timestep: Double) throws(PluginError) -> NoiseWeights {
    let weights = try levels.noiseWeights(at: timestep)
    return levels.predictionType.targetWeights(signal: weights.signal, noise: weights.noise)
  }
}
