public import EspalierGraph

/// A model that predicts the noise in latents.
public protocol Denoiser: Model where Configuration: DenoiserConfiguration {
  /// - Parameter inputs: The conditioned input of one step.
  /// - Returns: The prediction `[B, h, w, outChannels]`.
  func callAsFunction(_ inputs: DenoiserInputs, recorder: ActivationRecorder) -> Value
}

/// What a denoiser is given at one step.
public struct DenoiserInputs {
  /// Noisy latents `[B, h, w, inChannels]`.
  public var sample: Value
  /// Sinusoids of the timesteps `[B, D]`.
  public var timeEmbedding: Value
  /// Pooled text and sinusoids of the sizes `[B, P]`.
  public var addEmbedding: Value?
  /// Embedded guidance scales `[B, G]`, for guidance-distilled checkpoints.
  public var guidanceEmbedding: Value?
  /// Text `[B, L, crossAttentionDim]`.
  public var encoderHiddenStates: Value
  /// Feature maps of control adapters, outermost first; empty without adapter.
  public var adapterFeatures: [Value]

  public init(
    sample: Value, timeEmbedding: Value, addEmbedding: Value? = nil,
    guidanceEmbedding: Value? = nil, encoderHiddenStates: Value, adapterFeatures: [Value] = []
  ) {
    self.sample = sample
    self.timeEmbedding = timeEmbedding
    self.addEmbedding = addEmbedding
    self.guidanceEmbedding = guidanceEmbedding
    self.encoderHiddenStates = encoderHiddenStates
    self.adapterFeatures = adapterFeatures
  }
}

/// A model that turns token ids into embeddings.
public protocol TextEncoder: Model where Configuration: TextEncoderConfiguration {
  /// - Parameters:
  ///   - ids: i32 `[B, L]`.
  ///   - eosPositions: i32 `[B]`, where the pooled embedding is taken.
  func callAsFunction(_ ids: Value, eosPositions: Value?) -> TextEncoderOutput
}

/// The embeddings that a text encoder gives.
public struct TextEncoderOutput {
  /// The embeddings before the first layer and after each: `[B, L, D]`, no final norm.
  public let hiddenStates: [Value]
  /// The last layer's result after the final norm, `[B, L, D]`.
  public let lastHiddenState: Value
  /// The projected embedding of the end-of-text token `[B, P]`, for encoders that have one.
  public let textEmbeds: Value?

  public init(hiddenStates: [Value], lastHiddenState: Value, textEmbeds: Value?) {
    self.hiddenStates = hiddenStates
    self.lastHiddenState = lastHiddenState
    self.textEmbeds = textEmbeds
  }
}

/// A model that compresses pictures to latents and back.
public protocol Autoencoder: Model where Configuration: AutoencoderConfiguration {
  /// - Parameter pixels: `[B, H, W, 3]` in −1…1.
  /// - Returns: Mean and logarithm of the variance, `[B, h, w, 2·C]`.
  func encode(_ pixels: Value) -> Value

  /// - Parameter latents: `[B, h, w, C]`, unscaled.
  /// - Returns: Pixels `[B, H, W, 3]`, about −1…1.
  func decode(_ latents: Value) -> Value
}

/// A model that turns control images into feature maps for a denoiser.
public protocol ControlAdapter: Model where Configuration: ControlAdapterConfiguration {
  /// - Parameter image: Control image `[B, H, W, inChannels]` in 0…1.
  /// - Returns: Feature maps, unscaled, of the shapes that the configuration tells.
  func features(of image: Value) -> [Value]
}
