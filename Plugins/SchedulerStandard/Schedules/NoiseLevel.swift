import EspalierPluginKit
import Glibc

/// The weights of signal and noise in a sample of unit data: x = signal · x₀ + noise · ε, with
/// signal² + noise² = 1.
struct NoiseLevel {
  let signal: Double
  let noise: Double
  /// noise / signal.
  let sigma: Double

  init(sigma: Float) {
    self.sigma = Double(sigma)
    signal = 1 / (self.sigma * self.sigma + 1).squareRoot()
    noise = self.sigma * signal
  }

  /// λ, half the logarithm of the signal-to-noise ratio; infinite without noise.
  var logSNR: Double { -log(sigma) }
}

/// The level that the last step goes to. Key: `final_sigmas_type`.
enum FinalSigma: String, CaseIterable {
  case zero
  case sigmaMin = "sigma_min"

  static let option = PluginOption.choice(
    "final_sigmas_type", default: FinalSigma.zero,
    "What the last step goes to: no noise, or the lowest noise of training")
}
