import EspalierPluginKit

/// Pseudo numerical methods: ε of up to four calls, combined by Adams and Bashforth's weights.
///
/// The start is either twelve calls of Runge and Kutta's method, or with `skip_prk_steps` a first step
/// that is taken twice.
/// Keys: those of `NoiseScheduleOptions` and `TimestepSpacingOptions`, and `prediction_type`,
/// `set_alpha_to_one`, `skip_prk_steps`.
/// Source: Liu et al. 2022, "Pseudo Numerical Methods for Diffusion Models on Manifolds", equations 9 and
/// 12; Diffusers `schedulers/scheduling_pndm.py`.
final class PNDMScheduler: TrainedTimestepScheduler {
  static let className = "PNDMScheduler"
  static let shortName = "pndm"
  static let summary = "Pseudo linear multistep"
  static let options: [any DescribedOption] =
    noiseKeys.all + [PredictionType.option] + spacingKeys.all + [alphaToOne, skipPRKSteps]
  static let aliases = [
    SchedulerAlias("plms", "Pseudo linear multistep without Runge-Kutta", [skipPRKSteps.set(true)])
  ]

  private static let noiseKeys = NoiseScheduleOptions(rescales: false)
  private static let spacingKeys = TimestepSpacingOptions(default: .leading)
  private static let alphaToOne = TrainedLevels.alphaToOne(default: false)
  private static let skipPRKSteps = PluginOption.bool(
    "skip_prk_steps", default: false, "Starts without Runge-Kutta steps")

  let levels: TrainedLevels
  private(set) var timesteps: [Int] = []
  private let spacing: TimestepSpacing
  private let skipsPRKSteps: Bool
  /// Training timesteps of one step.
  private var stride = 0
  private var outputs = OutputHistory(capacity: 4)
  /// Steps since `setTimesteps`.
  private var counter = 0
  /// Where the step began that several calls make.
  private var startSample: [Float] = []
  private var rungeKuttaSum: [Float] = []

  init(_ settings: PluginSettings) throws(PluginError) {
    levels = try TrainedLevels(settings, Self.noiseKeys, setsAlphaToOne: Self.alphaToOne)
    spacing = try TimestepSpacing(settings, Self.spacingKeys)
    skipsPRKSteps = try settings.value(of: Self.skipPRKSteps)
  }

  private static let rungeKuttaCalls = 12
  private var rungeKuttaCalls: Int { skipsPRKSteps ? 0 : Self.rungeKuttaCalls }

  func setTimesteps(_ inferenceSteps: Int) throws(PluginError) {
    let steps = try spacing.wholeTimesteps(inferenceSteps, trainTimesteps: levels.trainTimesteps)
    stride = levels.trainTimesteps / inferenceSteps
    if skipsPRKSteps {
      timesteps = steps.count > 1 ? [steps[0], steps[1]] + steps.dropFirst() : steps
    } else {
      guard steps.count >= 4 else {
        throw .invalidArgument(
          "num_inference_steps is \(inferenceSteps); allowed: 4 or more, or skip_prk_steps")
      }
      // Three steps of four calls: at the step's start, twice at its middle, at its end.
      let starts = (0..<3).flatMap { index -> [Int] in
        let middle = steps[index + 1] + stride / 2
        return [steps[index], middle, middle, steps[index + 1]]
      }
      timesteps = starts + steps.dropFirst(3)
    }
    outputs.removeAll()
    counter = 0
  }

  func needsNoise(call: Int) -> Bool { false }

  func step(_ step: SchedulerStep) throws(PluginError) {
    if counter < rungeKuttaCalls {
      guard step.call == counter else {
        throw .invalidArgument(
          "PNDM starts with Runge-Kutta steps, so call 0 is due, not \(step.call); skip_prk_steps "
            + "lets a generation start anywhere")
      }
      takeRungeKutta(step)
    } else {
      takeMultistep(step)
    }
    counter += 1
  }

  private func takeRungeKutta(_ step: SchedulerStep) {
    let phase = counter % 4
    if phase == 0 {
      startSample = Array(step.sample)
      rungeKuttaSum = [Float](repeating: 0, count: step.count)
      outputs.push(Array(step.modelOutput))
    }
    let share: Float = phase == 0 || phase == 3 ? 1 / 6 : 1 / 3
    for index in 0..<step.count { rungeKuttaSum[index] += share * step.modelOutput[index] }
    let output = phase == 3 ? rungeKuttaSum : Array(step.modelOutput)
    let next = timesteps[step.call] - (counter % 2 == 1 ? 0 : stride / 2)
    move(startSample, by: output, from: timesteps[counter / 4 * 4], to: next, step)
  }

  private func takeMultistep(_ step: SchedulerStep) {
    var (from, to) = (timesteps[step.call], timesteps[step.call] - stride)
    var sum = WeightedSum(count: step.count)
    var sample = Array(step.sample)
    if counter == 1 {
      // The first step again, by the mean of the slopes at both of its ends.
      (from, to) = (from + stride, from)
      sum.add(0.5, step.modelOutput)
      sum.add(0.5, outputs[0])
      sample = startSample
    } else {
      outputs.push(Array(step.modelOutput))
      if counter == 0 { startSample = sample }
      for (age, weight) in Self.weights[outputs.count - 1].enumerated() {
        sum.add(weight, outputs[age])
      }
    }
    move(sample, by: sum.values, from: from, to: to, step)
  }

  /// Of the last calls, the newest first, for one to four of them.
  private static let weights: [[Double]] = [
    [1], [3.0 / 2, -1.0 / 2], [23.0 / 12, -16.0 / 12, 5.0 / 12],
    [55.0 / 24, -59.0 / 24, 37.0 / 24, -9.0 / 24],
  ]

  /// x' = √(ᾱ'/ᾱ)·x − (ᾱ' − ᾱ)·ε / (ᾱ√(1 − ᾱ') + √(ᾱ(1 − ᾱ)ᾱ')).
  private func move(
    _ sample: [Float], by output: [Float], from: Int, to: Int, _ step: SchedulerStep
  ) {
    let (now, next) = (levels.alpha(from), levels.alpha(to))
    let weights = levels.weights(now)
    let sampleWeight = (next / now).squareRoot()
    let divisor = now * (1 - next).squareRoot() + (now * (1 - now) * next).squareRoot()
    for index in 0..<step.count {
      let epsilon = levels.predictionType.epsilon(
        output[index], sample[index], signal: weights.signal, noise: weights.noise)
      step.previousSample[index] =
        sampleWeight * sample[index] - (next - now) * epsilon / divisor
      step.predictedOriginal?[index] = (sample[index] - weights.noise * epsilon) / weights.signal
    }
  }
}
