import EspalierCheckpoints
import EspalierHost
import EspalierPipelines
import EspalierTensors

/// Encodes each distinct caption once and keeps it on disk; the encoders are released afterwards.
struct TextPreparation {
  let folder: DiffusionFolder
  let device: ComputeDevice
  let configuration: TrainingConfiguration
  let cache: ContentCache
  weak var observer: (any TrainingObserver)?
  /// Captions encoded between two reports.
  private static let portion = 256

  /// - Throws: `PipelineError`, `CheckpointError`, `TokenizerError`, `BackendError`, `FileError`.
  func embeddings(of captions: Set<String>) throws -> TextEmbeddings {
    let storage = configuration.mixedPrecision.weightType
    let encoder = try PromptEncoder(folder, device: device, storage: storage)
    let model = try ModelFingerprint.hash(
      [.tokenizer, .tokenizer2, .textEncoder, .textEncoder2], of: folder)
    let type = storage?.rawValue ?? "stored"
    // The empty text too: it gives the shapes, and stands for dropped captions where zeros do not.
    let keys = Dictionary(
      uniqueKeysWithValues: captions.union([""]).map { caption in
        (caption, ContentHash("\(model) \(type) \(caption)").description)
      })
    warnOfTruncation(captions, encoder)
    try encodeMissing(keys, encoder)
    return TextEmbeddings(cache: cache, keys: keys, empty: try empty(keys))
  }

  /// Zeros where the base model's pipeline takes zeros for an absent text, so that training and generation
  /// agree; the reference encodes an empty text.
  private func empty(_ keys: [String: String]) throws -> PromptEmbedding {
    let names = TextEmbeddings.names(keys[""] ?? "")
    guard let hidden = try cache.tensor(names.hiddenStates),
      let pooled = try cache.tensor(names.pooled)
    else { throw TrainingError.cacheIncomplete(what: "the empty text") }
    let encoded = PromptEmbedding(hiddenStates: hidden, pooled: pooled)
    let zeros = folder.forceZerosForEmptyPrompt && configuration.compatibility == .espalier
    return zeros ? .zeros(like: encoded) : encoded
  }

  private func encodeMissing(_ keys: [String: String], _ encoder: PromptEncoder) throws {
    let missing = keys.filter { !cache.contains(TextEmbeddings.names($0.value).pooled) }
      .sorted { $0.key < $1.key }
    for start in stride(from: 0, to: missing.count, by: Self.portion) {
      observer?.preparing("encoding captions", done: start, total: missing.count)
      let part = missing[start..<min(start + Self.portion, missing.count)]
      let encoded = try encoder(part.map { PromptEncoder.Prompt($0.key) })
      for ((_, key), embedding) in zip(part, encoded) {
        let names = TextEmbeddings.names(key)
        try cache.insert(names.hiddenStates, embedding.hiddenStates)
        try cache.insert(names.pooled, embedding.pooled)
      }
    }
    try cache.flush()
    if !missing.isEmpty {
      observer?.preparing("encoding captions", done: missing.count, total: missing.count)
    }
  }

  private func warnOfTruncation(_ captions: Set<String>, _ encoder: PromptEncoder) {
    let cut = captions.filter { encoder.truncatedText($0) != nil }
    if let first = cut.sorted().first {
      observer?.note(
        "warning: \(cut.count) caption(s) have more than \(encoder.tokenCount) tokens and are cut, "
          + "such as \"\(first.prefix(60))…\"")
    }
  }
}
