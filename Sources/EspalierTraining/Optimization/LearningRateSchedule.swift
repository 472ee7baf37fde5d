import Foundation

/// How the learning rate changes over optimizer steps.
///
/// Source: Diffusers `optimization.py`, `get_scheduler`. As there, `constant` ignores the warmup, and with a
/// warmup the first step runs at rate 0.
public struct LearningRateSchedule: Sendable, Equatable {
  /// The names of `--lr_scheduler`.
  public enum Kind: String, Sendable, CaseIterable, Codable {
    case linear, cosine
    case cosineWithRestarts = "cosine_with_restarts"
    case polynomial, constant
    case constantWithWarmup = "constant_with_warmup"
  }

  public let kind: Kind
  /// The rate after the warmup.
  public let baseRate: Double
  /// In optimizer steps.
  public let warmupSteps: Int
  /// In optimizer steps.
  public let totalSteps: Int
  /// Of `cosine_with_restarts`.
  public let cycles: Int
  /// Of `polynomial`.
  public let power: Double

  /// The rate at which `polynomial` ends.
  public static let polynomialEndRate = 1e-7

  /// - Throws: `TrainingError.invalidSetting` for a polynomial schedule that does not start above its end.
  public init(
    kind: Kind, baseRate: Double, warmupSteps: Int, totalSteps: Int, cycles: Int = 1,
    power: Double = 1
  ) throws(TrainingError) {
    if kind == .polynomial && baseRate <= Self.polynomialEndRate {
      throw .invalidSetting(
        flag: "--learning_rate", found: "\(baseRate)",
        expected: "more than \(Self.polynomialEndRate), where the polynomial schedule ends")
    }
    self.kind = kind
    self.baseRate = baseRate
    self.warmupSteps = warmupSteps
    self.totalSteps = totalSteps
    self.cycles = cycles
    self.power = power
  }

  /// The rate of the optimizer step with this number, counted from 0.
  public func rate(at step: Int) -> Double {
    if kind == .constant { return baseRate }
    if step < warmupSteps { return baseRate * Double(step) / Double(max(1, warmupSteps)) }
    if kind == .constantWithWarmup { return baseRate }
    let progress = Double(step - warmupSteps) / Double(max(1, totalSteps - warmupSteps))
    switch kind {
    case .linear: return baseRate * max(0, 1 - progress)
    case .cosine: return baseRate * max(0, (1 + cos(Double.pi * progress)) / 2)
    case .cosineWithRestarts:
      if progress >= 1 { return 0 }
      let phase = (Double(cycles) * progress).truncatingRemainder(dividingBy: 1)
      return baseRate * max(0, (1 + cos(Double.pi * phase)) / 2)
    case .polynomial:
      if step > totalSteps { return Self.polynomialEndRate }
      let range = baseRate - Self.polynomialEndRate
      return range * pow(1 - progress, power) + Self.polynomialEndRate
    case .constant, .constantWithWarmup: return baseRate
    }
  }
}
