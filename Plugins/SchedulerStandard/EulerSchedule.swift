import EspalierPluginKit
import Glibc

/// Timesteps and noise levels of the schedulers that step along σ (Karras et al.'s variance-exploding form).
///
/// Keys: those of `NoiseSchedule`, `TimestepSpacing`, `SigmaSpacing`, and `prediction_type`,
/// `interpolation_type`, `timestep_type`, `final_sigmas_type`.
struct EulerSchedule {
  let predictionType: PredictionType
  private(set) var timesteps: [Float] = []
  /// The noise levels in order of use with the final one; before `setTimesteps` the training table,
  /// falling, with a 0.
  private(set) var sigmas: [Float]

  private let table: SigmaTable
  private let spacing: TimestepSpacing
  private let sigmaSpacing: SigmaSpacing?
  private let interpolation: Interpolation
  private let isContinuous: Bool
  private let finalSigma: FinalSigma

  private enum Interpolation: String, CaseIterable {
    case linear
    case logLinear = "log_linear"
  }

  private enum TimestepType: String, CaseIterable {
    case discrete, continuous
  }

  private enum FinalSigma: String, CaseIterable {
    case zero
    case sigmaMin = "sigma_min"
  }

  init(_ settings: PluginSettings) throws(PluginError) {
    // 2⁻²⁴, the smallest float16, as in Diffusers.
    let noise = try NoiseSchedule(settings, terminalAlpha: 0x1p-24)
    table = SigmaTable(sigmas: noise.sigmas)
    sigmas = table.sigmas.reversed() + [0]
    spacing = try TimestepSpacing(settings, default: .linspace)
    sigmaSpacing = try SigmaSpacing(settings)
    predictionType = try settings.choice("prediction_type", default: .epsilon)
    interpolation = try settings.choice("interpolation_type", default: .linear)
    let timestepType = try settings.choice("timestep_type", default: TimestepType.discrete)
    isContinuous = timestepType == .continuous && predictionType == .vPrediction
    finalSigma = try settings.choice("final_sigmas_type", default: .zero)
  }

  mutating func setTimesteps(_ count: Int) throws(PluginError) {
    var steps = try spacing.timesteps(count, trainTimesteps: table.sigmas.count)
    var levels: [Double]
    switch interpolation {
    case .linear:
      // Diffusers looks the level up at the timestep rounded to float32.
      levels = steps.map { table.sigma(at: Double(Float($0))) }
    case .logLinear:
      let (low, high) = (log(table.sigmas[0]), log(table.sigmas[table.sigmas.count - 1]))
      let logs: [Float] = evenlySpaced(high, low, count + 1)
      levels = logs.map { Double(exp($0)) }
    }
    if let sigmaSpacing {
      levels = sigmaSpacing.sigmas(count, from: levels)
      steps = levels.map { table.timestep(of: $0) }
    }
    levels.append(finalSigma == .zero ? 0 : Double(table.sigmas[0]))
    sigmas = levels.map { Float($0) }
    timesteps =
      isContinuous ? sigmas.dropLast().map { 0.25 * log($0) } : steps.map { Float($0) }
  }

  /// The largest level, or with `leading` the deviation of a sample at that level.
  var initNoiseSigma: Float {
    let largest = sigmas.max() ?? 0
    return spacing.kind == .leading ? (largest * largest + 1).squareRoot() : largest
  }

  /// √(σ² + 1): a sample of unit data at level σ divided by it has variance 1.
  func modelInputDivisor(call: Int) -> Float {
    (sigmas[call] * sigmas[call] + 1).squareRoot()
  }

  /// The level at a timestep: the schedule's own where the timestep is part of it, else the training
  /// table's.
  ///
  /// - Throws: `PluginError` outside 0...num_train_timesteps − 1.
  func sigma(at timestep: Double) throws(PluginError) -> Float {
    if let index = timesteps.firstIndex(where: { Double($0) == timestep }) { return sigmas[index] }
    if isContinuous { return Float(exp(4 * timestep)) }
    let last = table.sigmas.count - 1
    guard timestep >= 0, timestep <= Double(last) else {
      throw .invalidArgument("timestep \(timestep) is outside 0...\(last) (num_train_timesteps)")
    }
    return Float(table.sigma(at: timestep))
  }

  func noiseWeights(at timestep: Double) throws(PluginError) -> NoiseWeights {
    NoiseWeights(signal: 1, noise: try sigma(at: timestep))
  }

  func targetWeights(at timestep: Double) throws(PluginError) -> NoiseWeights {
    let sigma = Double(try sigma(at: timestep))
    let signal = 1 / (sigma * sigma + 1).squareRoot()
    return predictionType.targetWeights(signal: Float(signal), noise: Float(sigma * signal))
  }

  /// The predicted original of one element, as `prediction_type` says.
  func predictedOriginal(_ output: Float, _ sample: Float, sigma: Float) -> Float {
    switch predictionType {
    case .epsilon: sample - sigma * output
    case .sample: output
    case .vPrediction:
      output * (-sigma / (sigma * sigma + 1).squareRoot()) + sample / (sigma * sigma + 1)
    }
  }
}
