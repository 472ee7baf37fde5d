import EspalierDatasets
import EspalierPipelines
import EspalierTensors

/// The data set as the loop uses it: everything that does not change from step to step, computed once.
struct PreparedData {
  struct Sample {
    /// For messages.
    let name: String
    /// Where there are several, one is drawn each epoch.
    let captions: [String]
    /// Key of the latent moments.
    let latent: String
    /// Original height and width, crop top and left, target height and width.
    let timeIDs: [Double]
  }

  let samples: [Sample]
  let texts: TextEmbeddings
  /// Mean and standard deviation of the posterior, side by side in the last axis `[h, w, 2C]`, by key.
  let latents: ContentCache
  let controls: ControlImageCache
  /// Hash of all images and captions in their order.
  let fingerprint: String
}

/// Text embeddings by caption.
struct TextEmbeddings {
  let cache: ContentCache
  let keys: [String: String]
  /// What stands for a dropped caption.
  let empty: PromptEmbedding

  /// The names of a caption's tensors in the cache.
  static func names(_ key: String) -> (hiddenStates: String, pooled: String) {
    (key + ".hidden_states", key + ".pooled")
  }

  /// - Throws: `TrainingError.cacheIncomplete` if a cache file was removed during the run.
  func embedding(of caption: String) throws -> PromptEmbedding {
    if caption.isEmpty { return empty }
    guard let key = keys[caption] else { throw TrainingError.cacheIncomplete(what: caption) }
    let names = Self.names(key)
    guard let hidden = try cache.tensor(names.hiddenStates),
      let pooled = try cache.tensor(names.pooled)
    else { throw TrainingError.cacheIncomplete(what: caption) }
    return PromptEmbedding(hiddenStates: hidden, pooled: pooled)
  }
}
