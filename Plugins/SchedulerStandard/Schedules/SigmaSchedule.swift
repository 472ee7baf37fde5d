import EspalierPluginKit
import Glibc

/// Timesteps and noise levels of the schedulers that step along σ (Karras et al.'s variance-exploding form).
///
/// Keys: see `SigmaScheduleOptions`.
struct SigmaSchedule {
  let predictionType: PredictionType
  private(set) var timesteps: [Float] = []
  /// The noise levels in order of use with the final one; before `setTimesteps` the training table,
  /// falling, with a 0.
  private(set) var sigmas: [Float]

  let table: SigmaTable
  private let spacing: TimestepSpacing
  private let sigmaSpacing: SigmaSpacing?
  private let interpolation: Interpolation
  private let isContinuous: Bool
  private let finalSigma: FinalSigma
  private let roundsKarrasTimesteps: Bool

  enum Interpolation: String, CaseIterable {
    case linear
    case logLinear = "log_linear"
  }

  enum TimestepType: String, CaseIterable {
    case discrete, continuous
  }

  init(_ settings: PluginSettings, _ options: SigmaScheduleOptions) throws(PluginError) {
    let noise = try NoiseSchedule(
      settings, options.noise, terminalAlpha: NoiseSchedule.smallestAlpha)
    table = SigmaTable(noise)
    sigmas = table.sigmas.reversed() + [0]
    spacing = try TimestepSpacing(settings, options.spacing)
    sigmaSpacing = try options.sigmas.flatMap { sigmas throws(PluginError) in
      try SigmaSpacing(settings, sigmas)
    }
    predictionType = try settings.value(of: PredictionType.option)
    roundsKarrasTimesteps = options.roundsKarrasTimesteps
    guard let euler = options.euler else {
      (interpolation, isContinuous, finalSigma) = (.linear, false, .zero)
      return
    }
    interpolation = try settings.value(of: euler.interpolation)
    let timestepType = try settings.value(of: euler.timestepType)
    isContinuous = timestepType == .continuous && predictionType == .vPrediction
    finalSigma = try settings.value(of: euler.finalSigma)
  }

  mutating func setTimesteps(_ count: Int) throws(PluginError) {
    var steps = try spacing.timesteps(count, trainTimesteps: table.count)
    var levels: [Double]
    switch interpolation {
    case .linear:
      // Diffusers looks the level up at the timestep rounded to float32.
      levels = steps.map { table.sigma(at: Double(Float($0))) }
    case .logLinear:
      let (low, high) = (log(table.sigmas[0]), log(table.sigmas[table.count - 1]))
      let logs: [Float] = evenlySpaced(high, low, count + 1)
      levels = logs.map { Double(exp($0)) }
    }
    if let sigmaSpacing {
      levels = sigmaSpacing.sigmas(count, from: levels[0], to: levels[levels.count - 1])
      steps = levels.map { table.timestep(of: $0) }
      if roundsKarrasTimesteps && sigmaSpacing.kind == .karras {
        steps = steps.map { $0.rounded(.toNearestOrEven) }
      }
    }
    levels.append(finalSigma == .zero ? 0 : table.lowest)
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
  static func inputDivisor(sigma: Float) -> Float { (sigma * sigma + 1).squareRoot() }

  func noiseWeights(at timestep: Double) throws(PluginError) -> NoiseWeights {
    NoiseWeights(signal: 1, noise: try sigma(at: timestep))
  }

  func targetWeights(at timestep: Double) throws(PluginError) -> NoiseWeights {
    let level = NoiseLevel(sigma: try sigma(at: timestep))
    return predictionType.targetWeights(signal: Float(level.signal), noise: Float(level.noise))
  }

  /// The level at a timestep: the schedule's own where the timestep is part of it, else the training
  /// table's.
  private func sigma(at timestep: Double) throws(PluginError) -> Float {
    if let index = timesteps.firstIndex(where: { Double($0) == timestep }) { return sigmas[index] }
    if isContinuous { return Float(exp(4 * timestep)) }
    return try table.trainedSigma(at: timestep)
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

/// The keys of a schedule along σ, with the defaults of one scheduler class.
struct SigmaScheduleOptions: Sendable {
  let noise: NoiseScheduleOptions
  let spacing = TimestepSpacingOptions(default: .linspace)
  /// Nil for a class without such keys.
  let sigmas: SigmaSpacingOptions?
  let euler: EulerKeys?
  /// Whether the model sees whole timesteps with Karras' spacing.
  let roundsKarrasTimesteps: Bool

  /// What only Euler's method has.
  struct EulerKeys: Sendable {
    let interpolation = PluginOption.choice(
      "interpolation_type", default: SigmaSchedule.Interpolation.linear,
      "How noise levels between the training timesteps are found")
    let timestepType = PluginOption.choice(
      "timestep_type", default: SigmaSchedule.TimestepType.discrete,
      "continuous, with v_prediction: the model sees log σ / 4")
    let finalSigma = FinalSigma.option

    var all: [any DescribedOption] { [interpolation, timestepType, finalSigma] }
  }

  init(
    _ noise: NoiseScheduleOptions, sigmas: SigmaSpacingOptions? = SigmaSpacingOptions(),
    euler: EulerKeys? = nil, roundsKarrasTimesteps: Bool = false
  ) {
    self.noise = noise
    self.sigmas = sigmas
    self.euler = euler
    self.roundsKarrasTimesteps = roundsKarrasTimesteps
  }

  var all: [any DescribedOption] {
    noise.all + [PredictionType.option] + spacing.all + (sigmas?.all ?? []) + (euler?.all ?? [])
  }
}
