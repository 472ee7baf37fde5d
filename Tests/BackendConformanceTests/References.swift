import EspalierABI
import Foundation

/// The header's activations, in double precision.
func activation(_ act: Int32, _ x: Double) -> Double {
  switch act {
  case ESP_ACT_SILU: x / (1 + exp(-x))
  case ESP_ACT_RELU: max(x, 0)
  case ESP_ACT_GELU: 0.5 * x * erfc(-x / 2.0.squareRoot())
  case ESP_ACT_QUICK_GELU: x / (1 + exp(-1.702 * x))
  case ESP_ACT_SIGMOID: 1 / (1 + exp(-x))
  default: x
  }
}

/// All activations that an operation may apply.
let activations: [Int32] = [
  ESP_ACT_NONE, ESP_ACT_SILU, ESP_ACT_RELU, ESP_ACT_GELU, ESP_ACT_QUICK_GELU, ESP_ACT_SIGMOID,
]

/// All multi-indices of a shape, in row-major order.
func indices(of shape: [Int]) -> [[Int]] {
  shape.reduce([[]]) { partial, size in
    partial.flatMap { prefix in (0..<size).map { prefix + [$0] } }
  }
}

/// The row-major offset of an index.
func offset(_ index: [Int], in shape: [Int]) -> Int {
  zip(index, shape).reduce(0) { $0 * $1.1 + $1.0 }
}

/// The offset in a tensor that repeats over `shape`: right-aligned, axes of size 1 repeat.
func repeatedOffset(_ index: [Int], of small: [Int]) -> Int {
  let tail = index.suffix(small.count)
  return zip(tail, small).reduce(0) { $0 * $1.1 + ($1.1 == 1 ? 0 : $1.0) }
}
