import EspalierPluginKit

/// DPM-Solver++ and DPM-Solver in groups of up to three calls, each of which starts anew: 1S to 3S.
///
/// Keys: those of `SolverScheduleOptions` but spacing, and `solver_order`, `algorithm_type`, `solver_type`,
/// `lower_order_final`. Refused: flow matching, `thresholding`, learned variances.
/// Source: Lu et al. 2022, "DPM-Solver++", algorithm 1; Diffusers
/// `schedulers/scheduling_dpmsolver_singlestep.py`.
final class DPMSolverSinglestepScheduler: SolverScheduler {
  static let className = "DPMSolverSinglestepScheduler"
  static let shortName = "dpmpp_singlestep"
  static let summary = "DPM-Solver++ singlestep, as its configuration says"
  static let options: [any DescribedOption] =
    keys.all + [solverOrder, algorithmType, solverType, lowerOrderFinal]
  static let aliases =
    [SchedulerAlias("singlestep", summary)]
    + [
      ("dpmpp_2s", "DPM-Solver++ 2S", DPMSolverAlgorithm.dpmsolverPlusPlus, 2),
      ("dpmpp_3s", "DPM-Solver++ 3S", .dpmsolverPlusPlus, 3),
      ("dpmpp_sde", "DPM-Solver++ 2S SDE", .sdeDPMSolverPlusPlus, 2),
    ].flatMap { name, summary, algorithm, order in
      let preset = [algorithmType.set(algorithm), solverOrder.set(order)]
      return [SchedulerAlias(name, summary, preset)]
        + keys.sigmas.aliases(of: name, summary, preset)
    }

  private static let keys = SolverScheduleOptions(hasSpacing: false, clipsLambda: true)
  private static let solverOrder = PluginOption.int(
    "solver_order", default: 2, in: 1...3, "Calls in a group")
  private static let algorithmType = DPMSolverAlgorithm.option
  private static let solverType = PluginOption.choice(
    "solver_type", default: DPMSolverType.midpoint, "How the higher orders are made up")
  private static let lowerOrderFinal = PluginOption.bool(
    "lower_order_final", default: false,
    "Lowers the order of the last steps; on where the steps do not fill groups, or end at no noise")

  private(set) var schedule: SolverSchedule
  private let algorithm: DPMSolverAlgorithm
  private let type: DPMSolverType
  private let order: Int
  private let lowersOrderAtEnd: Bool
  private var outputs: OutputHistory
  /// Of each call.
  private var orders: [Int] = []
  /// Where the group began.
  private var groupSample: [Float] = []

  init(_ settings: PluginSettings) throws(PluginError) {
    schedule = try SolverSchedule(settings, Self.keys)
    algorithm = try settings.value(of: Self.algorithmType, unless: ["deis"])
    type = try settings.value(of: Self.solverType, unless: ["logrho", "bh1", "bh2"])
    order = try settings.value(of: Self.solverOrder)
    lowersOrderAtEnd = try settings.value(of: Self.lowerOrderFinal)
    outputs = OutputHistory(capacity: order)
    try settings.refuseLearnedVariance()
    if algorithm == .sdeDPMSolver {
      throw settings.refuse(
        "algorithm_type", "\"sde-dpmsolver\"", "one of dpmsolver++, sde-dpmsolver++, dpmsolver")
    }
    if algorithm == .dpmsolver && schedule.finalSigma == .zero {
      throw settings.refuse(
        "final_sigmas_type", "\"zero\"", "sigma_min with algorithm_type dpmsolver")
    }
  }

  func setTimesteps(_ inferenceSteps: Int) throws(PluginError) {
    try schedule.setTimesteps(inferenceSteps)
    orders = orders(inferenceSteps)
    outputs.removeAll()
  }

  /// Groups of 1, 2, … up to the order; the last ones are cut to what is left and end in first order.
  private func orders(_ count: Int) -> [Int] {
    var orders = (0..<count).map { $0 % order + 1 }
    let endsAtZero = schedule.finalSigma == .zero
    if lowersOrderAtEnd || endsAtZero || count % order != 0 {
      // A full last group would end in the highest order.
      if count % order == 0 && order > 1 { orders[count - 1] = 1 }
      if endsAtZero { orders[count - 1] = 1 }
    }
    return orders
  }

  func needsNoise(call: Int) -> Bool { algorithm.addsNoise }

  func step(_ step: SchedulerStep) throws(PluginError) {
    let quantity: SolverSchedule.Quantity = algorithm.predictsOriginal ? .original : .epsilon
    outputs.push(schedule.converted(step, to: quantity))
    let order = min(orders[step.call], outputs.count)
    if order == 1 { groupSample = Array(step.sample) }
    let solver = DPMSolverStep(
      algorithm, from: schedule.level(step.call + 1 - order), to: schedule.level(step.call + 1))
    var sum = WeightedSum(count: step.count)
    sum.add(solver.sample, groupSample)
    if algorithm.addsNoise { sum.add(solver.noise, step.noise) }
    for (age, weight) in weights(solver, order, call: step.call).enumerated() {
      sum.add(weight, outputs[age])
    }
    sum.store(to: step.previousSample)
  }

  private func weights(_ solver: DPMSolverStep, _ order: Int, call: Int) -> [Double] {
    var weights = OutputWeights(count: order)
    let first = order - 1
    weights.add(solver.value, first)
    if order == 1 { return weights.weights }
    func logSNR(_ age: Int) -> Double { schedule.level(call - age).logSNR }
    let start = logSNR(first)
    let h = schedule.level(call + 1).logSNR - start
    let r0 = (logSNR(0) - start) / h
    if order == 2 {
      weights.add(solver.first(type) / r0, 0, minus: first)
      return weights.weights
    }
    let r1 = (logSNR(1) - start) / h
    // D10 = (m1 − m2) / r1, D11 = (m0 − m2) / r0.
    var (middle, last) = (0.0, solver.first(.heun))
    if type == .heun {
      // D1 = (r0·D10 − r1·D11) / (r0 − r1), D2 = 2·(D11 − D10) / (r0 − r1).
      middle = (solver.first(.heun) * r0 - 2 * solver.second) / (r0 - r1)
      last = (2 * solver.second - solver.first(.heun) * r1) / (r0 - r1)
    }
    weights.add(last / r0, 0, minus: first)
    weights.add(middle / r1, 1, minus: first)
    return weights.weights
  }
}
