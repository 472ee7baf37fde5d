public import EspalierGraph

/// The CLIP text encoder, SDXL's first.
///
/// Checkpoint keys: `text_model.…` with or without that prefix, see `CLIPTextTransformer`.
/// Source: Transformers `modeling_clip.py`, `CLIPTextModel`.
public struct CLIPTextModel: TextEncoder {
  public static let className = "CLIPTextModel"
  public let configuration: CLIPTextConfiguration
  private let textModel: CLIPTextTransformer

  public init(_ scope: Scope, _ configuration: CLIPTextConfiguration) {
    self.configuration = configuration
    textModel = CLIPTextTransformer(scope["text_model"], configuration)
  }

  /// - Parameters:
  ///   - ids: i32 `[B, maxPositionEmbeddings]`.
  ///   - eosPositions: Not used; this encoder has no pooled embedding.
  public func callAsFunction(_ ids: Value, eosPositions: Value? = nil) -> TextEncoderOutput {
    let (hiddenStates, last) = textModel(ids)
    return TextEncoderOutput(hiddenStates: hiddenStates, lastHiddenState: last, textEmbeds: nil)
  }
}

/// The CLIP text encoder with a projected pooled embedding, SDXL's second.
///
/// Checkpoint keys: `text_model.…`, `text_projection.weight`.
/// Source: Transformers `modeling_clip.py`, `CLIPTextModelWithProjection`.
public struct CLIPTextModelWithProjection: TextEncoder {
  public static let className = "CLIPTextModelWithProjection"
  public let configuration: CLIPTextConfiguration
  private let textModel: CLIPTextTransformer
  private let textProjection: Linear

  public init(_ scope: Scope, _ configuration: CLIPTextConfiguration) {
    self.configuration = configuration
    textModel = CLIPTextTransformer(scope["text_model"], configuration)
    textProjection = Linear(
      scope["text_projection"], inFeatures: configuration.hiddenSize,
      outFeatures: configuration.projectionDim, hasBias: false)
  }

  /// - Parameters:
  ///   - ids: i32 `[B, maxPositionEmbeddings]`.
  ///   - eosPositions: i32 `[B]`, from `CLIPTextConfiguration.eosPositions`; without them nothing
  ///     is pooled.
  public func callAsFunction(_ ids: Value, eosPositions: Value?) -> TextEncoderOutput {
    let (hiddenStates, last) = textModel(ids)
    return TextEncoderOutput(
      hiddenStates: hiddenStates, lastHiddenState: last,
      textEmbeds: eosPositions.map { textProjection(last.gatheredRows($0)) })
  }
}
