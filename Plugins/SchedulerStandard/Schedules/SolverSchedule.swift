import EspalierPluginKit
import Glibc

/// Timesteps and noise levels of the solvers that keep samples at unit variance (DPM-Solver, DEIS, UniPC).
///
/// Keys: see `SolverScheduleOptions`.
/// Source: Diffusers `schedulers/scheduling_dpmsolver_multistep.py` and its siblings.
struct SolverSchedule {
  let predictionType: PredictionType
  let finalSigma: FinalSigma
  private(set) var timesteps: [Int] = []
  /// The noise levels in order of use with the final one; before `setTimesteps` the training table,
  /// falling, with a 0.
  private(set) var sigmas: [Float]

  private let table: SigmaTable
  private let spacing: TimestepSpacing
  private let sigmaSpacing: SigmaSpacing?
  private let options: SolverScheduleOptions
  private let betaSchedule: BetaSchedule
  /// The timesteps below this one are spaced.
  private let end: Int

  init(_ settings: PluginSettings, _ options: SolverScheduleOptions) throws(PluginError) {
    try settings.refuseThresholding()
    try settings.refuseFlow()
    let noise = try NoiseSchedule(
      settings, options.noise, terminalAlpha: NoiseSchedule.smallestAlpha)
    self.options = options
    table = SigmaTable(noise)
    betaSchedule = noise.betaSchedule
    sigmas = table.sigmas.reversed() + [0]
    if let keys = options.spacing {
      spacing = try TimestepSpacing(settings, keys)
    } else {
      spacing = .linspace
    }
    sigmaSpacing = try SigmaSpacing(settings, options.sigmas)
    predictionType = try settings.value(of: PredictionType.option)
    if let key = options.finalSigma {
      finalSigma = try settings.value(of: key)
    } else {
      finalSigma = .sigmaMin
    }
    var limit = -Double.infinity
    if let key = options.lambdaMinClipped, let set = try settings.value(of: key) { limit = set }
    end = table.count - table.sigmas.count(where: { -log(Double($0)) < limit })
  }

  mutating func setTimesteps(_ count: Int) throws(PluginError) {
    var steps = try spacing.solverTimesteps(count, below: end, trainTimesteps: table.count)
    var levels: [Double]
    var last = finalSigma == .zero ? 0 : table.lowest
    if let sigmaSpacing {
      levels = sigmaSpacing.sigmas(count, from: table.highest, to: table.lowest)
      let rounds = rounds(sigmaSpacing.kind)
      steps = levels.map { level in
        let timestep = table.timestep(of: level)
        return Int(rounds ? timestep.rounded(.toNearestOrEven) : timestep)
      }
      if finalSigma == .sigmaMin && options.repeatsLastSigma { last = levels[count - 1] }
    } else {
      levels = steps.map { table.sigma(at: Double($0)) }
    }
    levels.append(last)
    let sigmas = levels.map { Float($0) }
    // Two steps at one level would have no direction between them; the final one may stay.
    guard steps.count > 0,
      zip(sigmas.dropLast(), sigmas.dropFirst().dropLast()).allSatisfy({ $0 > $1 })
    else {
      throw .invalidArgument(
        "num_inference_steps is \(count): some of so many steps would fall on the same noise level; "
          + "use fewer steps, or other values of timestep_spacing or lambda_min_clipped")
    }
    (timesteps, self.sigmas) = (steps, sigmas)
  }

  /// Whether the model sees the nearest whole timestep of a level, or the one below.
  private func rounds(_ kind: SigmaSpacing.Kind) -> Bool {
    switch kind {
    case .karras, .lu: !(options.truncatesCosineTimesteps && betaSchedule == .squaredcosCapV2)
    case .exponential, .beta: false
    }
  }

  func level(_ index: Int) -> NoiseLevel { NoiseLevel(sigma: sigmas[index]) }

  /// What the solver extrapolates of a model's output, for every element.
  enum Quantity { case original, epsilon }

  /// - Returns: x₀ or ε by what the model says; the predicted original goes to the host, too.
  func converted(_ step: SchedulerStep, to quantity: Quantity) -> [Float] {
    let level = level(step.call)
    let (signal, noise) = (Float(level.signal), Float(level.noise))
    if let out = step.predictedOriginal {
      for index in 0..<step.count {
        out[index] = predictionType.original(
          step.modelOutput[index], step.sample[index], signal: signal, noise: noise)
      }
    }
    switch quantity {
    case .original:
      return (0..<step.count).map {
        predictionType.original(step.modelOutput[$0], step.sample[$0], signal: signal, noise: noise)
      }
    case .epsilon:
      return (0..<step.count).map {
        predictionType.epsilon(step.modelOutput[$0], step.sample[$0], signal: signal, noise: noise)
      }
    }
  }

  /// The level at a timestep: the schedule's own where the timestep is part of it, else the training
  /// table's.
  func level(at timestep: Double) throws(PluginError) -> NoiseLevel {
    if let index = timesteps.firstIndex(where: { Double($0) == timestep }) { return level(index) }
    return NoiseLevel(sigma: try table.trainedSigma(at: timestep))
  }
}

/// A scheduler with such a schedule.
protocol SolverScheduler: NoiseSchedulerPlugin {
  var schedule: SolverSchedule { get }
}

extension SolverScheduler {
  var callCount: Int { schedule.timesteps.count }
  func timestep(call: Int) -> Double { Double(schedule.timesteps[call]) }
  var initNoiseSigma: Double { 1 }
  var sigmas: [Double] { schedule.sigmas.map { Double($0) } }

  func noiseWeights(at timestep: Double) throws(PluginError) -> NoiseWeights {
    let level = try schedule.level(at: timestep)
    return NoiseWeights(signal: Float(level.signal), noise: Float(level.noise))
  }

  func targetWeights(at timestep: Double) throws(PluginError) -> NoiseWeights {
    let weights = try noiseWeights(at: timestep)
    return schedule.predictionType.targetWeights(signal: weights.signal, noise: weights.noise)
  }
}
