public import EspalierTensors

/// What the UNet sees of one prompt.
public struct PromptEmbedding: Sendable {
  /// The hidden states of both encoders side by side, f32 `[L, D1 + D2]`.
  public let hiddenStates: HostTensor
  /// The pooled embedding of the second encoder, f32 `[P]`.
  public let pooled: HostTensor

  public init(hiddenStates: HostTensor, pooled: HostTensor) {
    self.hiddenStates = hiddenStates
    self.pooled = pooled
  }

  /// All zeros, of the shapes of another one.
  public static func zeros(like other: PromptEmbedding) -> PromptEmbedding {
    PromptEmbedding(
      hiddenStates: HostTensor(shape: other.hiddenStates.shape),
      pooled: HostTensor(shape: other.pooled.shape))
  }
}
