import EspalierPluginKit

/// DPM-Solver++ and DPM-Solver, with the quantities of earlier calls: 1M to 3M, also as SDE.
///
/// Keys: those of `SolverScheduleOptions`, and `solver_order`, `algorithm_type`, `solver_type`,
/// `lower_order_final`, `euler_at_final`. Refused: flow matching, `thresholding`, learned variances, and
/// the third order of `sde-dpmsolver`, which Diffusers lacks, too.
/// Source: Lu et al. 2022, "DPM-Solver++", algorithm 2; Diffusers
/// `schedulers/scheduling_dpmsolver_multistep.py`.
final class DPMSolverMultistepScheduler: SolverScheduler {
  static let className = "DPMSolverMultistepScheduler"
  static let shortName = "dpmpp"
  static let summary = "DPM-Solver++ multistep, as its configuration says"
  static let options: [any DescribedOption] =
    keys.all + [solverOrder, algorithmType, solverType, lowerOrderFinal, eulerAtFinal]
  static let aliases = [
    ("dpmpp_2m", "DPM-Solver++ 2M", DPMSolverAlgorithm.dpmsolverPlusPlus, 2),
    ("dpmpp_2m_sde", "DPM-Solver++ 2M SDE", .sdeDPMSolverPlusPlus, 2),
    ("dpmpp_3m", "DPM-Solver++ 3M", .dpmsolverPlusPlus, 3),
    ("dpmpp_3m_sde", "DPM-Solver++ 3M SDE", .sdeDPMSolverPlusPlus, 3),
  ].flatMap { name, summary, algorithm, order in
    let preset = [algorithmType.set(algorithm), solverOrder.set(order)]
    return [SchedulerAlias(name, summary, preset)] + keys.sigmas.aliases(of: name, summary, preset)
  }

  private static let keys = SolverScheduleOptions(
    rescales: true, hasLu: true, clipsLambda: true, truncatesCosineTimesteps: true)
  private static let solverOrder = PluginOption.int(
    "solver_order", default: 2, in: 1...3, "Calls that a step looks at")
  private static let algorithmType = DPMSolverAlgorithm.option
  private static let solverType = PluginOption.choice(
    "solver_type", default: DPMSolverType.midpoint, "How the second order is made up")
  private static let lowerOrderFinal = PluginOption.bool(
    "lower_order_final", default: true, "Lowers the order of the last steps below 15 steps")
  private static let eulerAtFinal = PluginOption.bool(
    "euler_at_final", default: false, "Takes the last step in first order")

  private(set) var schedule: SolverSchedule
  private let algorithm: DPMSolverAlgorithm
  private let type: DPMSolverType
  private let order: Int
  private let lowersOrderAtEnd: Bool
  private let endsInFirstOrder: Bool
  private var outputs: OutputHistory

  init(_ settings: PluginSettings) throws(PluginError) {
    schedule = try SolverSchedule(settings, Self.keys)
    algorithm = try settings.value(of: Self.algorithmType, unless: ["deis"])
    type = try settings.value(of: Self.solverType, unless: ["logrho", "bh1", "bh2"])
    order = try settings.value(of: Self.solverOrder)
    lowersOrderAtEnd = try settings.value(of: Self.lowerOrderFinal)
    endsInFirstOrder = try settings.value(of: Self.eulerAtFinal)
    outputs = OutputHistory(capacity: order)
    try settings.refuseLearnedVariance()
    if !algorithm.predictsOriginal && schedule.finalSigma == .zero {
      throw settings.refuse(
        "final_sigmas_type", "\"zero\"", "sigma_min with algorithm_type \(algorithm.rawValue)")
    }
    if algorithm == .sdeDPMSolver && order == 3 {
      throw settings.refuse("solver_order", order, "1 or 2 with algorithm_type sde-dpmsolver")
    }
  }

  func setTimesteps(_ inferenceSteps: Int) throws(PluginError) {
    try schedule.setTimesteps(inferenceSteps)
    outputs.removeAll()
  }

  func needsNoise(call: Int) -> Bool { algorithm.addsNoise }

  func step(_ step: SchedulerStep) throws(PluginError) {
    let quantity: SolverSchedule.Quantity = algorithm.predictsOriginal ? .original : .epsilon
    outputs.push(schedule.converted(step, to: quantity))
    let solver = DPMSolverStep(
      algorithm, from: schedule.level(step.call), to: schedule.level(step.call + 1))
    var sum = WeightedSum(count: step.count)
    sum.add(solver.sample, step.sample)
    if algorithm.addsNoise { sum.add(solver.noise, step.noise) }
    for (age, weight) in weights(solver, call: step.call).enumerated() {
      sum.add(weight, outputs[age])
    }
    sum.store(to: step.previousSample)
  }

  /// The order of a step: grows from 1 with the calls made, and falls at the end.
  private func order(call: Int) -> Int {
    let left = schedule.timesteps.count - call
    let lowers = lowersOrderAtEnd && schedule.timesteps.count < 15
    if left == 1 && (endsInFirstOrder || lowers || schedule.finalSigma == .zero) { return 1 }
    return min(outputs.count, left == 2 && lowers ? 2 : 3)
  }

  private func weights(_ solver: DPMSolverStep, call: Int) -> [Double] {
    let order = order(call: call)
    var weights = OutputWeights(count: order)
    weights.add(solver.value, 0)
    if order == 1 { return weights.weights }
    func logSNR(_ age: Int) -> Double { schedule.level(call - age).logSNR }
    let h = schedule.level(call + 1).logSNR - logSNR(0)
    let inverse0 = h / (logSNR(0) - logSNR(1))
    if order == 2 {
      weights.add(solver.first(type) * inverse0, 0, minus: 1)
      return weights.weights
    }
    let inverse1 = h / (logSNR(1) - logSNR(2))
    let (r0, r1) = (1 / inverse0, 1 / inverse1)
    // D1 = D10 + r0 / (r0 + r1) · (D10 − D11), D2 = (D10 − D11) / (r0 + r1).
    let bend = (solver.first(.heun) * r0 + solver.second) / (r0 + r1)
    weights.add((solver.first(.heun) + bend) * inverse0, 0, minus: 1)
    weights.add(-bend * inverse1, 1, minus: 2)
    return weights.weights
  }
}
