import EspalierGraph

/// A stage of the full adapters: halving, a 1×1 convolution where channels change, residual blocks.
///
/// Checkpoint keys: `in_conv`, `resnets.J`.
/// Source: Diffusers `models/adapter.py`, `AdapterBlock`.
struct AdapterBlock {
  private let halves: Bool
  private let inConv: Conv2d?
  private let resnets: [AdapterResnetBlock]

  init(_ scope: Scope, _ stage: T2IAdapterConfiguration.Stage, numResBlocks: Int) {
    halves = stage.halves
    inConv =
      stage.inChannels == stage.outChannels
      ? nil
      : Conv2d(
        scope["in_conv"], inChannels: stage.inChannels, outChannels: stage.outChannels, kernel: 1)
    resnets = (0..<numResBlocks).map {
      AdapterResnetBlock(scope["resnets"][$0], channels: stage.outChannels, secondKernel: 1)
    }
  }

  /// - Parameter x: `[B, h, w, Cin]`.
  /// - Returns: `[B, h, w, C]`, sides halved and rounded up where the stage halves.
  func callAsFunction(_ x: Value) -> Value {
    var h = halves ? x.avgPool2d() : x
    if let inConv { h = inConv(h) }
    for resnet in resnets { h = resnet(h) }
    return h
  }
}

/// A stage of the light adapter: halving, then residual blocks at a quarter of the width.
///
/// Checkpoint keys: `in_conv`, `resnets.J`, `out_conv`.
/// Source: Diffusers `models/adapter.py`, `LightAdapterBlock`.
struct LightAdapterBlock {
  private let halves: Bool
  private let inConv, outConv: Conv2d
  private let resnets: [AdapterResnetBlock]

  init(_ scope: Scope, _ stage: T2IAdapterConfiguration.Stage, numResBlocks: Int) {
    let inner = stage.outChannels / 4
    halves = stage.halves
    inConv = Conv2d(
      scope["in_conv"], inChannels: stage.inChannels, outChannels: inner, kernel: 1)
    resnets = (0..<numResBlocks).map {
      AdapterResnetBlock(scope["resnets"][$0], channels: inner, secondKernel: 3)
    }
    outConv = Conv2d(
      scope["out_conv"], inChannels: inner, outChannels: stage.outChannels, kernel: 1)
  }

  /// - Parameter x: `[B, h, w, Cin]`.
  /// - Returns: `[B, h, w, C]`, sides halved and rounded up where the stage halves.
  func callAsFunction(_ x: Value) -> Value {
    var h = inConv(halves ? x.avgPool2d() : x)
    for resnet in resnets { h = resnet(h) }
    return outConv(h)
  }
}

/// Residual block of the adapters: 3×3 convolution, ReLU, convolution.
///
/// Checkpoint keys: `block1`, `block2`.
/// Source: Diffusers `models/adapter.py`, `AdapterResnetBlock` (second kernel 1) and
/// `LightAdapterResnetBlock` (3).
struct AdapterResnetBlock {
  private let block1, block2: Conv2d

  init(_ scope: Scope, channels: Int, secondKernel: Int) {
    block1 = Conv2d(
      scope["block1"], inChannels: channels, outChannels: channels, kernel: 3,
      padding: Padding2D(1))
    block2 = Conv2d(
      scope["block2"], inChannels: channels, outChannels: channels, kernel: secondKernel,
      padding: Padding2D(secondKernel / 2))
  }

  /// - Parameter x: `[B, h, w, channels]`; the shape is kept.
  func callAsFunction(_ x: Value) -> Value { block2(block1(x).relu()) + x }
}
