import EspalierPluginKit
import Glibc

/// The function B(h) of UniPC. Key: `solver_type`.
enum UniPCType: String, CaseIterable {
  /// h
  case bh1
  /// e^h − 1
  case bh2
}

/// What a step of UniPC from one noise level to another adds up, for predictor (UniP) and corrector (UniC).
///
/// Source: Zhao et al. 2023, "UniPC", algorithms 1, 2, 5 and 6; Diffusers
/// `schedulers/scheduling_unipc_multistep.py`.
struct UniPCStep {
  /// Of the sample.
  let sample: Double
  /// Of the differences of other quantities to the one at the start.
  let difference: Double
  /// Of the quantity (x₀ or ε) at the start, without what the differences take from it.
  private let value: Double
  /// b_1, b_2, …: see the paper's equation 5.
  private let rightSide: [Double]

  init(
    _ type: UniPCType, from start: NoiseLevel, to end: NoiseLevel, order: Int,
    predictsOriginal: Bool
  ) {
    let h = end.logSNR - start.logSNR
    let hh = predictsOriginal ? -h : h
    let phi = expm1(hh)
    let scale = type == .bh1 ? hh : phi
    let factor = predictsOriginal ? end.signal : end.noise
    sample = predictsOriginal ? end.noise / start.noise : end.signal / start.signal
    value = -factor * phi
    difference = -factor * scale
    var (side, term, factorial) = ([Double](), phi / hh - 1, 1.0)
    for k in 1...order {
      side.append(term * factorial / scale)
      factorial *= Double(k + 1)
      term = term / hh - 1 / factorial
    }
    rightSide = side
  }

  /// The weight of the quantity at the start, next to differences of these weights.
  func value(_ weights: [Double]) -> Double {
    // Without differences their factor may be infinite.
    weights.isEmpty ? value : value - difference * weights.reduce(0, +)
  }

  /// ρ / r of each earlier call, for UniP; `ratios` are r: their distances in λ to the start, in steps.
  func predictor(_ ratios: [Double]) -> [Double] {
    switch ratios.count {
    case 0: []
    case 1: [0.5 / ratios[0]]
    default: divided(LinearSystem.solve(powers(ratios), Array(rightSide.dropLast())), by: ratios)
    }
  }

  /// ρ / r of each earlier call, and of the new one at the end, for UniC.
  func corrector(_ ratios: [Double]) -> [Double] {
    if ratios.isEmpty { return [0.5] }
    let all = ratios + [1]
    return divided(LinearSystem.solve(powers(all), rightSide), by: all)
  }

  /// Rows r^0, r^1, ….
  private func powers(_ ratios: [Double]) -> [[Double]] {
    ratios.indices.map { power in ratios.map { pow($0, Double(power)) } }
  }

  private func divided(_ rhos: [Double], by ratios: [Double]) -> [Double] {
    zip(rhos, ratios).map { $0 / $1 }
  }
}
