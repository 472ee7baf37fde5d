import EspalierABI
import Glibc

/// The header's activations in double precision.
public enum Activation {
  /// All that an operation may apply.
  public static let all: [Int32] = [
    ESP_ACT_NONE, ESP_ACT_SILU, ESP_ACT_RELU, ESP_ACT_GELU, ESP_ACT_QUICK_GELU, ESP_ACT_SIGMOID,
  ]

  /// As in the header, in lower case.
  static func name(_ act: Int32) -> String {
    ["none", "silu", "relu", "gelu", "quick_gelu", "sigmoid"][Int(act)]
  }

  /// act(x).
  public static func value(_ act: Int32, _ x: Double) -> Double {
    switch act {
    case ESP_ACT_SILU: x / (1 + exp(-x))
    case ESP_ACT_RELU: x < 0 ? 0 : x
    case ESP_ACT_GELU: 0.5 * x * erfc(-x / 2.0.squareRoot())
    case ESP_ACT_QUICK_GELU: x / (1 + exp(-1.702 * x))
    case ESP_ACT_SIGMOID: 1 / (1 + exp(-x))
    default: x
    }
  }

  /// act'(x); of relu 0 at 0.
  public static func derivative(_ act: Int32, _ x: Double) -> Double {
    let (s, q) = (1 / (1 + exp(-x)), 1 / (1 + exp(-1.702 * x)))
    return switch act {
    case ESP_ACT_SILU: s * (1 + x * (1 - s))
    case ESP_ACT_RELU: x > 0 ? 1 : 0
    case ESP_ACT_GELU:
      0.5 * erfc(-x / 2.0.squareRoot()) + x * exp(-x * x / 2) / (2 * Double.pi).squareRoot()
    case ESP_ACT_QUICK_GELU: q + 1.702 * x * q * (1 - q)
    case ESP_ACT_SIGMOID: s * (1 - s)
    default: 1
    }
  }
}
