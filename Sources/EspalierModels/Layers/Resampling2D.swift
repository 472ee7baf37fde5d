public import EspalierGraph
import EspalierTensors

/// Halves a feature map by a 3×3 convolution with stride 2.
///
/// Checkpoint key: `conv`.
/// Source: Diffusers `models/downsampling.py`, `Downsample2D` with `use_conv=True`.
public struct Downsample2D {
  let conv: Conv2d

  /// Declares the parameters under `scope`; nothing is allocated.
  ///
  /// - Parameter padding: The configured padding; 0 stands for one row below and one column to the
  ///   right, as the VAE's encoder has it.
  public init(_ scope: Scope, channels: Int, padding: Int) {
    conv = Conv2d(
      scope["conv"], inChannels: channels, outChannels: channels, kernel: 3, stride: 2,
      padding: padding == 0 ? Padding2D(top: 0, left: 0, bottom: 1, right: 1) : Padding2D(padding))
  }

  /// - Parameter x: Feature map `[B, H, W, channels]`.
  /// - Returns: `[B, ⌈H/2⌉, ⌈W/2⌉, channels]` with padding 1, sides rounded down with padding 0.
  public func callAsFunction(_ x: Value) -> Value { conv(x) }
}

/// Enlarges a feature map by nearest-neighbour resizing and a 3×3 convolution.
///
/// Checkpoint key: `conv`.
/// Source: Diffusers `models/upsampling.py`, `Upsample2D` with `use_conv=True`.
public struct Upsample2D {
  let conv: Conv2d

  /// Declares the parameters under `scope`; nothing is allocated.
  public init(_ scope: Scope, channels: Int) {
    conv = Conv2d(
      scope["conv"], inChannels: channels, outChannels: channels, kernel: 3, padding: Padding2D(1))
  }

  /// - Parameters:
  ///   - x: Feature map `[B, H, W, channels]`.
  ///   - size: The wanted sides; by default twice those of `x`.
  /// - Returns: Feature map of the wanted sides.
  public func callAsFunction(_ x: Value, size: (height: Int, width: Int)? = nil) -> Value {
    conv(
      x.upsampledNearest(
        height: size?.height ?? 2 * x.shape[1], width: size?.width ?? 2 * x.shape[2]))
  }
}
