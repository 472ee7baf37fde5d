import EspalierPluginKit
import Glibc

/// Exponential integrator: ε of up to three calls as a polynomial in log ρ, integrated over ρ = σ.
///
/// Keys: those of `SolverScheduleOptions` but `final_sigmas_type`, and `solver_order`, `algorithm_type`,
/// `solver_type`, `lower_order_final`. Ends at the lowest noise of training. Refused: flow matching,
/// `thresholding`.
/// Source: Zhang and Chen 2022, "Fast Sampling of Diffusion Models with Exponential Integrator", log-ρ
/// multistep; Diffusers `schedulers/scheduling_deis_multistep.py`.
final class DEISMultistepScheduler: SolverScheduler {
  static let className = "DEISMultistepScheduler"
  static let shortName = "deis"
  static let summary = "Diffusion exponential integrator, multistep"
  static let options: [any DescribedOption] =
    keys.all + [solverOrder, algorithmType, solverType, lowerOrderFinal]
  static let aliases = keys.sigmas.aliases(of: shortName, "Exponential integrator")

  private static let keys = SolverScheduleOptions(hasFinalSigma: false, repeatsLastSigma: true)
  private static let solverOrder = PluginOption.int(
    "solver_order", default: 2, in: 1...3, "Calls that a step looks at")
  private static let algorithmType = PluginOption.choice(
    "algorithm_type", default: Algorithm.deis, "Only this one")
  private static let solverType = PluginOption.choice(
    "solver_type", default: SolverType.logrho, "Only this one")
  private static let lowerOrderFinal = PluginOption.bool(
    "lower_order_final", default: true, "Lowers the order of the last steps below 15 steps")

  private enum Algorithm: String, CaseIterable { case deis }
  private enum SolverType: String, CaseIterable { case logrho }

  private(set) var schedule: SolverSchedule
  private let order: Int
  private let lowersOrderAtEnd: Bool
  private var outputs: OutputHistory

  init(_ settings: PluginSettings) throws(PluginError) {
    schedule = try SolverSchedule(settings, Self.keys)
    order = try settings.value(of: Self.solverOrder)
    lowersOrderAtEnd = try settings.value(of: Self.lowerOrderFinal)
    outputs = OutputHistory(capacity: order)
    _ = try settings.value(of: Self.algorithmType, unless: ["dpmsolver", "dpmsolver++"])
    _ = try settings.value(of: Self.solverType, unless: ["midpoint", "heun", "bh1", "bh2"])
  }

  func setTimesteps(_ inferenceSteps: Int) throws(PluginError) {
    try schedule.setTimesteps(inferenceSteps)
    outputs.removeAll()
  }

  func needsNoise(call: Int) -> Bool { false }

  /// x' = α'·(x / α + Σ c_k · ε_k).
  func step(_ step: SchedulerStep) throws(PluginError) {
    outputs.push(schedule.converted(step, to: .epsilon))
    let (start, end) = (schedule.level(step.call), schedule.level(step.call + 1))
    var sum = WeightedSum(count: step.count)
    sum.add(end.signal / start.signal, step.sample)
    for (age, weight) in weights(call: step.call).enumerated() {
      sum.add(end.signal * weight, outputs[age])
    }
    sum.store(to: step.previousSample)
  }

  /// ∫ Π_(k ≠ i) (log ρ − log ρ_k) / (log ρ_i − log ρ_k) dρ over the step, for each call i.
  private func weights(call: Int) -> [Double] {
    let left = schedule.timesteps.count - call
    let lowers = lowersOrderAtEnd && schedule.timesteps.count < 15
    let order = lowers ? min(outputs.count, left) : outputs.count
    let start = schedule.level(call).sigma
    let nodes = (0..<order).map { log(schedule.level(call - $0).sigma / start) }
    let moments = moments(order, from: start, to: schedule.level(call + 1).sigma)
    return nodes.indices.map { i in
      var polynomial = [1.0]
      for k in nodes.indices where k != i {
        let scale = 1 / (nodes[i] - nodes[k])
        let lower = polynomial.map { $0 * -nodes[k] * scale } + [0]
        let raised = [0] + polynomial.map { $0 * scale }
        polynomial = zip(lower, raised).map { $0 + $1 }
      }
      return zip(polynomial, moments).reduce(0) { $0 + $1.0 * $1.1 }
    }
  }

  /// ∫ log^k(ρ / start) dρ for k below `count`, by parts.
  private func moments(_ count: Int, from start: Double, to end: Double) -> [Double] {
    let logarithm = log(end / start)
    var (moments, power) = ([end - start], 1.0)
    for k in 1..<max(count, 1) {
      power *= logarithm
      moments.append(end * power - Double(k) * moments[k - 1])
    }
    return moments
  }
}
