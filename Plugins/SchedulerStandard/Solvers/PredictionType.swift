import EspalierPluginKit

/// What a model was trained to predict. Key: `prediction_type`.
enum PredictionType: String, CaseIterable {
  case epsilon
  case sample
  case vPrediction = "v_prediction"

  static let option = PluginOption.choice(
    "prediction_type", default: PredictionType.epsilon, "What the model was trained to predict")

  /// The target of training where the signal has the weight √ᾱ and the noise √(1 − ᾱ).
  func targetWeights(signal: Float, noise: Float) -> NoiseWeights {
    switch self {
    case .epsilon: NoiseWeights(signal: 0, noise: 1)
    case .sample: NoiseWeights(signal: 1, noise: 0)
    case .vPrediction: NoiseWeights(signal: -noise, noise: signal)
    }
  }

  /// x₀ of one element, from what the model says about a sample of these weights.
  func original(_ output: Float, _ sample: Float, signal: Float, noise: Float) -> Float {
    switch self {
    case .epsilon: (sample - noise * output) / signal
    case .sample: output
    case .vPrediction: signal * sample - noise * output
    }
  }

  /// ε of one element, from what the model says about a sample of these weights.
  func epsilon(_ output: Float, _ sample: Float, signal: Float, noise: Float) -> Float {
    switch self {
    case .epsilon: output
    case .sample: (sample - signal * output) / noise
    case .vPrediction: signal * output + noise * sample
    }
  }
}
