public import EspalierImages
public import EspalierTensors

/// What a pipeline made.
public struct Generation: Sendable {
  /// What one picture was made of.
  public struct Source: Sendable, Equatable {
    public let prompt: String
    /// Nil if absent, or without guidance.
    public let negativePrompt: String?
    /// The configuration's set of control images; nil without adapter.
    public let imageSet: Int?
  }

  /// The pictures, all of one prompt together.
  public let images: [Image]
  /// The latents as the UNet leaves them, f32 `[N, C, h, w]`.
  public let latents: HostTensor
  /// In the order of the pictures.
  public let sources: [Source]
  public let height: Int
  public let width: Int
}

/// What a pipeline is doing.
public enum GenerationEvent: Sendable, Equatable {
  /// Something that the user should know and that stops nothing.
  case warning(String)
  /// A stage begins: encoding prompts, computing adapter features, loading the UNet, denoising or
  /// decoding.
  case stage(String)
  /// So many model calls are done, of all pictures together.
  case step(Int, of: Int)
  /// So many pictures are decoded.
  case decoded(Int, of: Int)
}
