import EspalierPluginKit

/// Steps of two model calls each, the last one of one call that goes to σ = 0 (Heun, DPM2).
///
/// Call 2j is made at level σ_j; call 2j + 1 at a level between σ_j and σ_(j+1), from where the first
/// call's step led.
struct TwoCallSteps {
  /// How the second call ends a step.
  struct Ending {
    /// The level that the derivative leads to from σ_j.
    var sigma: Float
    /// Deviation of the noise that is added then.
    var noise: Float = 0
    /// Whether the derivatives of both calls are averaged.
    var averages = false
  }

  /// Of the second call of each step, and 0 for the last step.
  let middleSigmas: [Float]
  private let middleTimesteps: [Float]
  private let schedule: SigmaSchedule
  /// What the first call leaves for the second.
  private var first: (sample: [Float], derivative: [Float])?

  init(_ schedule: SigmaSchedule, middleSigmas: [Float], middleTimesteps: [Float]) {
    self.schedule = schedule
    self.middleSigmas = middleSigmas
    self.middleTimesteps = middleTimesteps
  }

  var callCount: Int { max(2 * schedule.timesteps.count - 1, 0) }

  static func isSecond(_ call: Int) -> Bool { call % 2 == 1 }

  func timestep(_ call: Int) -> Float {
    Self.isSecond(call) ? middleTimesteps[call / 2] : schedule.timesteps[call / 2]
  }

  /// The level of the sample that the model sees in a call.
  func sigma(_ call: Int) -> Float {
    Self.isSecond(call) ? middleSigmas[call / 2] : schedule.sigmas[call / 2]
  }

  /// - Parameters:
  ///   - ending: Of the step that this call belongs to.
  ///   - clip: What a predicted original is limited by.
  /// - Throws: `PluginError` for a generation that starts with the second call of a step.
  mutating func take(
    _ step: SchedulerStep, ending: Ending, clip: SampleClip? = nil
  ) throws(PluginError) {
    let index = step.call / 2
    let (start, here) = (schedule.sigmas[index], sigma(step.call))
    let isSecond = Self.isSecond(step.call)
    if isSecond && first == nil {
      throw .invalidArgument(
        "call \(step.call) is the second of its step; a generation starts with the first one")
    }
    var derivative = [Float](repeating: 0, count: step.count)
    for element in 0..<step.count {
      let sample = step.sample[element]
      var original = schedule.predictedOriginal(step.modelOutput[element], sample, sigma: here)
      if let clip { original = clip(original) }
      derivative[element] = (sample - original) / here
      step.predictedOriginal?[element] = original
    }
    if let first, isSecond {
      let dt = ending.sigma - start
      for element in 0..<step.count {
        var slope = derivative[element]
        if ending.averages { slope = (first.derivative[element] + slope) / 2 }
        var previous = first.sample[element] + slope * dt
        if ending.noise > 0 { previous += step.noise[element] * ending.noise }
        step.previousSample[element] = previous
      }
      self.first = nil
    } else {
      let dt = middleSigmas[index] - start
      for element in 0..<step.count {
        step.previousSample[element] = step.sample[element] + derivative[element] * dt
      }
      first = (Array(step.sample), derivative)
    }
  }
}

/// A scheduler with such steps.
protocol TwoCallScheduler: NoiseSchedulerPlugin {
  var schedule: SigmaSchedule { get }
  /// Nil before `setTimesteps`.
  var steps: TwoCallSteps? { get }
}

extension TwoCallScheduler {
  var callCount: Int { steps?.callCount ?? 0 }
  func timestep(call: Int) -> Double { steps.map { Double($0.timestep(call)) } ?? .nan }
  var initNoiseSigma: Double { Double(schedule.initNoiseSigma) }

  func modelInputDivisor(call: Int) -> Float {
    steps.map { SigmaSchedule.inputDivisor(sigma: $0.sigma(call)) } ?? 1
  }

  func noiseWeights(at timestep: Double) throws(PluginError) -> NoiseWeights {
    try schedule.noiseWeights(at: timestep)
  }

  func targetWeights(at timestep: Double) throws(PluginError) -> NoiseWeights {
    try schedule.targetWeights(at: timestep)
  }
}
