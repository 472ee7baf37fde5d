public import EspalierGraph

/// Residual block: GroupNorm → SiLU → 3×3 convolution, twice, with the time embedding added in
/// between.
///
/// Checkpoint keys: `norm1`, `conv1`, `time_emb_proj`, `norm2`, `conv2`, `conv_shortcut`. The VAE's
/// blocks have no `time_emb_proj`; `conv_shortcut` exists where the number of channels changes.
/// Source: Diffusers `models/resnet.py`, `ResnetBlock2D` with `time_embedding_norm="default"`.
public struct ResnetBlock2D {
  let norm1, norm2: GroupNorm
  let conv1, conv2: Conv2d
  private let timeEmbProj: Linear?
  let convShortcut: Conv2d?

  /// Declares the parameters under `scope`; nothing is allocated.
  ///
  /// - Parameter timeEmbedDim: Features of the time embedding, or `nil` for a block without one.
  public init(
    _ scope: Scope, inChannels: Int, outChannels: Int, timeEmbedDim: Int?, groups: Int,
    epsilon: Double
  ) {
    norm1 = GroupNorm(scope["norm1"], groups: groups, channels: inChannels, epsilon: epsilon)
    conv1 = Conv2d(
      scope["conv1"], inChannels: inChannels, outChannels: outChannels, kernel: 3,
      padding: Padding2D(1))
    timeEmbProj = timeEmbedDim.map {
      Linear(scope["time_emb_proj"], inFeatures: $0, outFeatures: outChannels)
    }
    norm2 = GroupNorm(scope["norm2"], groups: groups, channels: outChannels, epsilon: epsilon)
    conv2 = Conv2d(
      scope["conv2"], inChannels: outChannels, outChannels: outChannels, kernel: 3,
      padding: Padding2D(1))
    convShortcut =
      inChannels == outChannels
      ? nil
      : Conv2d(
        scope["conv_shortcut"], inChannels: inChannels, outChannels: outChannels, kernel: 1)
  }

  /// - Parameters:
  ///   - x: Feature map `[B, H, W, inChannels]`.
  ///   - timeEmbedding: `[B, timeEmbedDim]` after its SiLU, which all blocks share.
  /// - Returns: Feature map `[B, H, W, outChannels]`.
  public func callAsFunction(_ x: Value, timeEmbedding: Value? = nil) -> Value {
    var h = conv1(norm1(x).silu())
    if let timeEmbProj, let timeEmbedding {
      h = h.adding(perSample: timeEmbProj(timeEmbedding))
    }
    h = conv2(norm2(h).silu())
    return h + (convShortcut?(x) ?? x)
  }
}
