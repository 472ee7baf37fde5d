import EspalierTensors

/// The data set as the loop uses it: everything that does not change from step to step, computed once.
struct PreparedData {
  struct Sample {
    /// For messages.
    let name: String
    /// Keys of the text embeddings; several captions are drawn from once per epoch.
    let captions: [String]
    /// Key of the latent moments.
    let latent: String
    /// The control image, 8 bit, `[H, W, channels]`.
    let control: HostTensor
    /// Original height and width, crop top and left, target height and width.
    let timeIDs: [Double]
  }

  let samples: [Sample]
  /// Text embeddings by caption.
  let texts: TextEmbeddings
  /// Mean and standard deviation of the posterior, side by side in the last axis `[h, w, 2C]`, by key.
  let latents: ContentCache
  let scalingFactor: Double
  /// Hash of all content keys and captions.
  let fingerprint: String
}

/// Text embeddings by caption.
struct TextEmbeddings {
  struct Entry {
    /// `[L, D]`.
    let hiddenStates: HostTensor
    /// `[P]`.
    let pooled: HostTensor
  }

  let cache: ContentCache
  let keys: [String: String]
  /// What stands for a dropped caption.
  let empty: Entry

  /// - Precondition: the caption is one of the data set's.
  func entry(_ caption: String) throws -> Entry {
    guard let key = keys[caption], let hidden = try cache.tensor(key + ".hidden_states"),
      let pooled = try cache.tensor(key + ".pooled")
    else { preconditionFailure("no embedding of a caption of the data set") }
    return Entry(hiddenStates: hidden, pooled: pooled)
  }
}
