import EspalierPluginKit

/// Linear multistep: the slopes of up to four calls, integrated over the step as a polynomial in σ.
///
/// Keys: see `SigmaScheduleOptions`.
/// Source: Adams and Bashforth's method with uneven steps, as k-diffusion's `sample_lms`; Diffusers
/// `schedulers/scheduling_lms_discrete.py`.
final class LMSDiscreteScheduler: SigmaScheduler {
  static let className = "LMSDiscreteScheduler"
  static let shortName = "lms"
  static let summary = "Linear multistep of order 4"
  static let options = keys.all
  static let aliases = spacings.aliases(of: shortName, "Linear multistep")

  private static let spacings = SigmaSpacingOptions()
  private static let keys = SigmaScheduleOptions(
    NoiseScheduleOptions(rescales: false), sigmas: spacings)
  private static let order = 4

  private(set) var schedule: SigmaSchedule
  private var slopes = OutputHistory(capacity: order)

  init(_ settings: PluginSettings) throws(PluginError) {
    schedule = try SigmaSchedule(settings, Self.keys)
  }

  func setTimesteps(_ inferenceSteps: Int) throws(PluginError) {
    try schedule.setTimesteps(inferenceSteps)
    slopes.removeAll()
  }

  func needsNoise(call: Int) -> Bool { false }

  /// x' = x + Σ c_k · d_k, d_k = (x − x₀) / σ of call − k.
  func step(_ step: SchedulerStep) throws(PluginError) {
    let (schedule, sigma) = (schedule, schedule.sigmas[step.call])
    var slope = [Float](repeating: 0, count: step.count)
    for index in 0..<step.count {
      let sample = step.sample[index]
      let original = schedule.predictedOriginal(step.modelOutput[index], sample, sigma: sigma)
      slope[index] = (sample - original) / sigma
      step.predictedOriginal?[index] = original
    }
    slopes.push(slope)
    var sum = WeightedSum(count: step.count)
    sum.add(1, step.sample)
    for (age, weight) in weights(call: step.call).enumerated() { sum.add(weight, slopes[age]) }
    sum.store(to: step.previousSample)
  }

  /// ∫ Π_(k ≠ i) (τ − σ_k) / (σ_i − σ_k) dτ from this call's σ to the next, for each call i that is kept.
  private func weights(call: Int) -> [Double] {
    let nodes = (0..<slopes.count).map { Double(schedule.sigmas[call - $0]) }
    let (start, end) = (nodes[0], Double(schedule.sigmas[call + 1]))
    let (middle, half) = ((start + end) / 2, (end - start) / 2)
    // Gauss and Legendre's two points are exact for the cubic polynomials of order 4.
    let points = [-1, 1].map { middle + $0 * half / 3.0.squareRoot() }
    return nodes.indices.map { i in
      let sum = points.reduce(0) { sum, point in
        sum
          + nodes.indices.reduce(1) { product, k in
            k == i ? product : product * (point - nodes[k]) / (nodes[i] - nodes[k])
          }
      }
      return sum * half
    }
  }
}
