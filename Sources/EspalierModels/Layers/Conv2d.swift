public import EspalierGraph
import EspalierTensors

/// Two-dimensional convolution of a feature map with a square kernel.
///
/// Checkpoint keys: `weight` `[outChannels, inChannels, kernel, kernel]`, `bias` `[outChannels]`.
public struct Conv2d {
  let path: String
  let weight: Value
  let bias: Value
  let stride: Int
  let padding: Padding2D

  /// Declares the parameters under `scope`; nothing is allocated.
  public init(
    _ scope: Scope, inChannels: Int, outChannels: Int, kernel: Int, stride: Int = 1,
    padding: Padding2D = Padding2D(0)
  ) {
    path = scope.path
    weight = scope.parameter("weight", [outChannels, inChannels, kernel, kernel])
    bias = scope.parameter("bias", [outChannels])
    self.stride = stride
    self.padding = padding
  }

  /// - Parameter x: Feature map `[B, H, W, inChannels]`.
  /// - Returns: Feature map `[B, H', W', outChannels]`.
  public func callAsFunction(_ x: Value) -> Value {
    x.conv2d(weight: weight, bias: bias, stride: stride, padding: padding, path: path)
  }
}
