import EspalierPluginKit
import Glibc

/// The noise levels of the training timesteps and the way from a timestep to its level and back.
struct SigmaTable {
  /// σ_t for each training timestep, rising.
  let sigmas: [Float]

  /// σ at a timestep between the training timesteps, linear; beyond them the nearest (`numpy.interp`).
  func sigma(at timestep: Double) -> Double {
    let last = sigmas.count - 1
    if timestep <= 0 { return Double(sigmas[0]) }
    if timestep >= Double(last) { return Double(sigmas[last]) }
    let index = Int(timestep)
    let (low, high) = (Double(sigmas[index]), Double(sigmas[index + 1]))
    return (high - low) * (timestep - Double(index)) + low
  }

  /// The timestep that has this σ, between the training timesteps linear in log σ.
  func timestep(of sigma: Double) -> Double {
    let logSigma = log(max(sigma, 1e-10))
    let logs = sigmas.map { log($0) }
    let below = logs.lastIndex { logSigma - Double($0) >= 0 } ?? 0
    let low = min(below, logs.count - 2)
    let weight = (Double(logs[low]) - logSigma) / Double(logs[low] - logs[low + 1])
    let clipped = min(max(weight, 0), 1)
    return (1 - clipped) * Double(low) + clipped * Double(low + 1)
  }
}

/// What a model was trained to predict. Key: `prediction_type`.
enum PredictionType: String, CaseIterable {
  case epsilon
  case sample
  case vPrediction = "v_prediction"

  /// The target of training where the signal has the weight √ᾱ and the noise √(1 − ᾱ).
  func targetWeights(signal: Float, noise: Float) -> NoiseWeights {
    switch self {
    case .epsilon: NoiseWeights(signal: 0, noise: 1)
    case .sample: NoiseWeights(signal: 1, noise: 0)
    case .vPrediction: NoiseWeights(signal: -noise, noise: signal)
    }
  }
}
