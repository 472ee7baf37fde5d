public import EspalierCheckpoints
public import EspalierTensors

/// What a pipeline must know of a denoiser, and what the host computes for it.
public protocol DenoiserConfiguration: ModelConfiguration {
  /// Channels of the latents, and of what an inpainting checkpoint sees beside them.
  var inChannels: Int { get }
  /// The side of the latents that the checkpoint was trained on, if it tells.
  var sampleSize: Int? { get }
  /// Features of the guidance embedding of guidance-distilled checkpoints, or `nil`.
  var timeCondProjDim: Int? { get }
  /// What `DenoiserInputs.timeEmbedding` holds for the timesteps of B samples.
  func timeProjection(_ timesteps: [Double]) -> HostTensor
  /// The number of sizes and crop coordinates per sample, for pooled text of `textFeatures`.
  func timeIDCount(textFeatures: Int) -> Int
  /// What `DenoiserInputs.addEmbedding` holds; `nil` if the denoiser takes none.
  func additionProjection(textEmbeds: HostTensor, timeIDs: [[Double]]) -> HostTensor?
  /// The shapes `[B, h, w, C]` of the adapter features that it takes, for latents of these sides.
  func adapterFeatureShapes(batch: Int, height: Int, width: Int) -> [Shape]
}

/// What a pipeline must know of a text encoder.
public protocol TextEncoderConfiguration: ModelConfiguration {
  /// Features of a token.
  var hiddenSize: Int { get }
  /// The number of tokens of every prompt, padding included.
  var maxPositionEmbeddings: Int { get }
  /// Where each prompt's end-of-text token stands, the place of the pooled embedding.
  func eosPositions(_ ids: [[Int32]]) -> [Int32]
}

/// What a pipeline must know of an autoencoder.
public protocol AutoencoderConfiguration: ModelConfiguration {
  /// Channels of the latents.
  var latentChannels: Int { get }
  /// Pixels per latent along a side.
  var downscaleFactor: Int { get }
  /// Whether half precision overflows in this model, so that it must run in f32.
  var forceUpcast: Bool { get }
  /// Latents as the denoiser sees them, from f32 `[B, h, w, latentChannels]`.
  func scaled(_ latents: HostTensor) -> HostTensor
  /// Latents as the decoder wants them, from f32 `[B, h, w, latentChannels]`.
  func unscaled(_ latents: HostTensor) -> HostTensor
}

/// What a pipeline must know of a control adapter.
public protocol ControlAdapterConfiguration: ModelConfiguration {
  /// Channels of the control image: 1 or 3.
  var inChannels: Int { get }
  /// Sides of the control image must be multiples of this.
  var downscaleFactor: Int { get }
  /// From the image to the smallest feature map.
  var totalDownscaleFactor: Int { get }
  /// Shapes of the feature maps `[B, h, w, C]` for a control image.
  func featureShapes(batch: Int, height: Int, width: Int) -> [Shape]
  /// The configuration as `config.json` has it.
  var json: JSONValue { get }
}
