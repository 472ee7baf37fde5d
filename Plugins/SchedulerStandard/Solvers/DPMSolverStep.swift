import EspalierPluginKit
import Glibc

/// Which equation DPM-Solver integrates. Key: `algorithm_type`.
enum DPMSolverAlgorithm: String, CaseIterable {
  case dpmsolverPlusPlus = "dpmsolver++"
  case sdeDPMSolverPlusPlus = "sde-dpmsolver++"
  case dpmsolver
  case sdeDPMSolver = "sde-dpmsolver"

  /// Whether noise is added in each step.
  var addsNoise: Bool { self == .sdeDPMSolverPlusPlus || self == .sdeDPMSolver }

  /// Whether x₀ is extrapolated; else ε.
  var predictsOriginal: Bool { self == .dpmsolverPlusPlus || self == .sdeDPMSolverPlusPlus }
}

extension DPMSolverAlgorithm {
  static let option = PluginOption.choice(
    "algorithm_type", default: Self.dpmsolverPlusPlus,
    "++: for guided sampling; sde: with fresh noise")
}

/// How the second order of DPM-Solver is made up. Key: `solver_type`.
enum DPMSolverType: String, CaseIterable {
  case midpoint, heun
}

/// What a step of DPM-Solver from one noise level to another adds up: the sample, noise, and the solver's
/// quantity (x₀ or ε) with its divided differences D1 and D2 in λ, in units of the step.
///
/// Source: Lu et al. 2022, "DPM-Solver++", appendix B; Diffusers
/// `schedulers/scheduling_dpmsolver_multistep.py`.
struct DPMSolverStep {
  let sample: Double
  let noise: Double
  /// Of the quantity itself.
  let value: Double
  private let midpoint: Double
  private let heun: Double
  /// Of D2.
  let second: Double

  init(_ algorithm: DPMSolverAlgorithm, from start: NoiseLevel, to end: NoiseLevel) {
    let h = end.logSNR - start.logSNR
    let factor: Double
    let weights: ExponentialWeights
    switch algorithm {
    case .dpmsolverPlusPlus:
      (sample, noise, factor) = (end.noise / start.noise, 0, end.signal)
      weights = ExponentialWeights(decay: h)
    case .sdeDPMSolverPlusPlus:
      sample = end.noise / start.noise * exp(-h)
      (noise, factor) = (end.noise * (-expm1(-2 * h)).squareRoot(), end.signal)
      weights = ExponentialWeights(decay: 2 * h)
    case .dpmsolver, .sdeDPMSolver:
      sample = end.signal / start.signal
      let isSDE = algorithm == .sdeDPMSolver
      noise = isSDE ? end.noise * expm1(2 * h).squareRoot() : 0
      factor = -end.noise * (isSDE ? 2 : 1)
      weights = ExponentialWeights(growth: h)
    }
    value = factor * weights.value
    midpoint = value / 2
    heun = factor * weights.first
    // Where the limit for small steps is 0, Diffusers subtracts 1 with noise; so does this.
    second = factor * (weights.second - (algorithm == .sdeDPMSolverPlusPlus ? 1 : 0))
  }

  /// Of D1.
  func first(_ type: DPMSolverType) -> Double { type == .midpoint ? midpoint : heun }
}

/// Integrals of an exponential times 1, the place, and half its square, over a step of length h.
struct ExponentialWeights {
  let value: Double
  let first: Double
  let second: Double

  /// Of a decaying one: 1 − e^(−h), 1 − (1 − e^(−h)) / h, ½ + (1 − e^(−h) − h) / h².
  init(decay h: Double) {
    value = -expm1(-h)
    if h == 0 || !h.isFinite {
      (first, second) = (h == 0 ? 0 : 1, h == 0 ? 0 : 0.5)
    } else if abs(h) < 1e-3 {
      (first, second) = (h / 2 - h * h / 6, h / 6 - h * h / 24)
    } else {
      (first, second) = (1 - value / h, 0.5 + (value - h) / (h * h))
    }
  }

  /// Of a growing one: e^h − 1, (e^h − 1) / h − 1, (e^h − 1 − h) / h² − ½.
  init(growth h: Double) {
    value = expm1(h)
    if abs(h) < 1e-3 {
      (first, second) = (h / 2 + h * h / 6, h / 6 + h * h / 24)
    } else {
      (first, second) = (value / h - 1, (value - h) / (h * h) - 0.5)
    }
  }
}

/// The quantity of up to three calls, as weights of the newest first.
struct OutputWeights {
  private(set) var weights: [Double]

  /// - Parameter count: Calls that are looked at.
  init(count: Int) { weights = [Double](repeating: 0, count: count) }

  /// Adds a multiple of one call's quantity.
  mutating func add(_ weight: Double, _ age: Int) { weights[age] += weight }

  /// Adds a multiple of the difference between two calls.
  mutating func add(_ weight: Double, _ age: Int, minus other: Int) {
    weights[age] += weight
    weights[other] -= weight
  }
}
