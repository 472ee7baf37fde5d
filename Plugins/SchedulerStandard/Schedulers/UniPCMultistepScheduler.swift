import EspalierPluginKit

/// Unified predictor and corrector: each call also corrects the step that led to it.
///
/// Keys: those of `SolverScheduleOptions`, and `solver_order`, `predict_x0`, `solver_type`,
/// `lower_order_final`, `disable_corrector`. Refused: flow matching, `thresholding`, `solver_p`, and what
/// ends in numbers that are not finite.
/// Source: Zhao et al. 2023, "UniPC"; Diffusers `schedulers/scheduling_unipc_multistep.py`.
final class UniPCMultistepScheduler: SolverScheduler {
  static let className = "UniPCMultistepScheduler"
  static let shortName = "unipc"
  static let summary = "Unified predictor and corrector, for few steps"
  static let options: [any DescribedOption] =
    keys.all + [solverOrder, predictX0, solverType, lowerOrderFinal, disableCorrector]
  static let aliases =
    [
      SchedulerAlias("uni_pc", summary),
      SchedulerAlias("uni_pc_bh2", summary, [solverType.set(.bh2)]),
    ] + keys.sigmas.aliases(of: shortName, "Predictor and corrector")

  private static let keys = SolverScheduleOptions(rescales: true, repeatsLastSigma: true)
  private static let solverOrder = PluginOption.int(
    "solver_order", default: 2, in: 1...6, "Calls that a step looks at")
  private static let predictX0 = PluginOption.bool(
    "predict_x0", default: true, "Extrapolates x₀ instead of the noise")
  private static let solverType = PluginOption.choice(
    "solver_type", default: UniPCType.bh2, "The function B(h); bh1 for unguided sampling")
  private static let lowerOrderFinal = PluginOption.bool(
    "lower_order_final", default: true, "Lowers the order of the last steps")
  private static let disableCorrector = PluginOption.numbers(
    "disable_corrector", "Steps, from 0, that the next call does not correct")

  private(set) var schedule: SolverSchedule
  private let order: Int
  private let type: UniPCType
  private let predictsOriginal: Bool
  private let lowersOrderAtEnd: Bool
  private let uncorrected: Set<Double>
  private var outputs: OutputHistory
  /// Where the last step started, and its order; nil before the first one.
  private var last: (sample: [Float], order: Int)?

  init(_ settings: PluginSettings) throws(PluginError) {
    schedule = try SolverSchedule(settings, Self.keys)
    order = try settings.value(of: Self.solverOrder)
    type = try settings.value(of: Self.solverType, unless: ["midpoint", "heun", "logrho"])
    predictsOriginal = try settings.value(of: Self.predictX0)
    lowersOrderAtEnd = try settings.value(of: Self.lowerOrderFinal)
    uncorrected = Set(try settings.value(of: Self.disableCorrector) ?? [])
    outputs = OutputHistory(capacity: order)
    for key in ["solver_p", "shift_terminal"] {
      guard try settings.value(of: PluginOption.json(key, "")) == nil else {
        throw settings.refuse(key, "set", "null")
      }
    }
    if schedule.finalSigma == .zero && !predictsOriginal {
      throw settings.refuse("final_sigmas_type", "\"zero\"", "sigma_min where predict_x0 is false")
    }
    if schedule.finalSigma == .zero && !lowersOrderAtEnd && order > 1 {
      throw settings.refuse(
        "lower_order_final", "false",
        "true where final_sigmas_type is zero and solver_order above 1")
    }
  }

  func setTimesteps(_ inferenceSteps: Int) throws(PluginError) {
    try schedule.setTimesteps(inferenceSteps)
    outputs.removeAll()
    last = nil
  }

  func needsNoise(call: Int) -> Bool { false }

  func step(_ step: SchedulerStep) throws(PluginError) {
    let output = schedule.converted(step, to: predictsOriginal ? .original : .epsilon)
    var sample = Array(step.sample)
    if let last, !uncorrected.contains(Double(step.call - 1)) {
      sample = corrected(last.sample, last.order, by: output, call: step.call)
    }
    outputs.push(output)
    let left = schedule.timesteps.count - step.call
    let order = min(outputs.count, lowersOrderAtEnd ? left : self.order)
    last = (sample, order)
    let solver = solver(from: step.call, order)
    let weights = solver.predictor(ratios(from: step.call, order))
    var sum = WeightedSum(count: step.count)
    sum.add(solver.sample, sample)
    sum.add(solver.value(weights), outputs[0])
    for (index, weight) in weights.enumerated() {
      sum.add(solver.difference * weight, outputs[index + 1])
    }
    sum.store(to: step.previousSample)
  }

  /// The last step taken again, now that the quantity at its end is known.
  private func corrected(
    _ sample: [Float], _ order: Int, by output: [Float], call: Int
  ) -> [Float] {
    let solver = solver(from: call - 1, order)
    let weights = solver.corrector(ratios(from: call - 1, order))
    var sum = WeightedSum(count: sample.count)
    sum.add(solver.sample, sample)
    sum.add(solver.value(weights), outputs[0])
    for (index, weight) in weights.dropLast().enumerated() {
      sum.add(solver.difference * weight, outputs[index + 1])
    }
    sum.add(solver.difference * (weights.last ?? 0), output)
    return sum.values
  }

  private func solver(from call: Int, _ order: Int) -> UniPCStep {
    UniPCStep(
      type, from: schedule.level(call), to: schedule.level(call + 1), order: order,
      predictsOriginal: predictsOriginal)
  }

  /// (λ_k − λ) / h of the calls before `call` that the order looks at.
  private func ratios(from call: Int, _ order: Int) -> [Double] {
    let start = schedule.level(call).logSNR
    let h = schedule.level(call + 1).logSNR - start
    return (1..<max(order, 1)).map { (schedule.level(call - $0).logSNR - start) / h }
  }
}
