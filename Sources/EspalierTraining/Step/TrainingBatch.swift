public import EspalierTensors

/// What one micro-batch feeds to the network; maps are NHWC, all f32.
public struct TrainingBatch: Sendable {
  /// Noisy latents scaled for the UNet `[B, h, w, C]`.
  public var sample: HostTensor
  /// Timesteps of the samples, `B` values in 0 ..< 1000.
  public var timesteps: [Double]
  /// Pooled text embeddings `[B, P]`.
  public var textEmbeds: HostTensor
  /// Original height and width, crop top and left, target height and width of each image.
  public var timeIDs: [[Double]]
  /// Text `[B, L, D]`.
  public var encoderHiddenStates: HostTensor
  /// Control images in [0, 1], `[B, H, W, channels]`.
  public var control: HostTensor
  /// What the UNet should predict `[B, h, w, C]`.
  public var target: HostTensor
  /// One factor per sample on its loss `[B]`.
  public var weights: HostTensor

  public init(
    sample: HostTensor, timesteps: [Double], textEmbeds: HostTensor, timeIDs: [[Double]],
    encoderHiddenStates: HostTensor, control: HostTensor, target: HostTensor, weights: HostTensor
  ) {
    self.sample = sample
    self.timesteps = timesteps
    self.textEmbeds = textEmbeds
    self.timeIDs = timeIDs
    self.encoderHiddenStates = encoderHiddenStates
    self.control = control
    self.target = target
    self.weights = weights
  }
}
