import EspalierCheckpoints
import EspalierGraph
public import EspalierHost
import EspalierModels
public import EspalierTensors
import EspalierTokenizers

/// Turns prompts into embeddings with SDXL's two text encoders, which are loaded one after the other and released.
///
/// The hidden states are those before the last layer, without final norm, as SDXL was trained.
public struct PromptEncoder {
  /// A text and how many layers before the penultimate one its hidden states are taken from.
  public struct Prompt: Hashable, Sendable {
    public let text: String
    public let clipSkip: Int

    public init(_ text: String, clipSkip: Int = 0) {
      self.text = text
      self.clipSkip = clipSkip
    }
  }

  /// The features of a token and of a pooled embedding.
  public let hiddenSize: Int
  public let pooledSize: Int
  private let tokenizers: [CLIPTokenizer]
  private let configurations: [CLIPTextConfiguration]
  private let weights: [ComponentWeights]
  private let device: ComputeDevice

  /// Prompts that are encoded at the same time.
  private static let batch = 8

  /// Opens tokenizers and encoders; loads nothing.
  ///
  /// - Parameter storage: The type that the weights are converted to; nil keeps the file's.
  /// - Throws: `PipelineError`, `CheckpointError`, `TokenizerError`.
  public init(_ folder: DiffusionFolder, device: ComputeDevice, storage: DType? = nil) throws {
    let first = try folder.open(.textEncoder, as: CLIPTextModel.self, storage: storage)
    let second = try folder.open(
      .textEncoder2, as: CLIPTextModelWithProjection.self, storage: storage)
    tokenizers = try [DiffusionFolder.Component.tokenizer, .tokenizer2].map {
      try CLIPTokenizer(folder: folder.folder(of: $0))
    }
    configurations = [first.configuration, second.configuration]
    for (component, (tokenizer, encoder)) in zip(
      ["tokenizer", "tokenizer_2"], zip(tokenizers, configurations))
    where tokenizer.vocabularySize > encoder.vocabSize {
      throw PipelineError.component(
        component, path: folder.path, expected: "at most \(encoder.vocabSize) tokens, as the encoder",
        found: "\(tokenizer.vocabularySize)", hint: "tokenizer and encoder are of different models")
    }
    guard
      first.configuration.maxPositionEmbeddings == second.configuration.maxPositionEmbeddings
    else {
      throw PipelineError.component(
        "text_encoder_2", path: folder.path,
        expected: "max_position_embeddings \(first.configuration.maxPositionEmbeddings)",
        found: "\(second.configuration.maxPositionEmbeddings)",
        hint: "SDXL's two encoders take equally many tokens")
    }
    weights = [first.weights, second.weights]
    hiddenSize = first.configuration.hiddenSize + second.configuration.hiddenSize
    pooledSize = second.configuration.projectionDim
    self.device = device
  }

  /// Tokens of a prompt, padding included.
  public var tokenCount: Int { configurations[0].maxPositionEmbeddings }

  /// The end of a text that is not encoded, because the text has more tokens than the encoders take.
  public func truncatedText(_ text: String) -> String? {
    zip(tokenizers, configurations).lazy.compactMap { tokenizer, configuration in
      tokenizer.truncatedText(text, maxLength: configuration.maxPositionEmbeddings)
    }.first
  }

  /// The embeddings of the prompts, in order; equal prompts are encoded once.
  ///
  /// - Throws: `PipelineError.setting` for a `clipSkip` that an encoder has no layer for, `.notFinite`;
  ///   `BackendError`, `CheckpointError`.
  public func callAsFunction(
    _ prompts: [Prompt], profile: ExecutionProfile? = nil
  ) throws -> [PromptEmbedding] {
    let skips = Set(prompts.map(\.clipSkip)).sorted()
    let texts = Set(prompts.map(\.text)).sorted()
    let most = configurations.map(\.numHiddenLayers).min().map { $0 - 1 } ?? 0
    if let skip = skips.last, skip > most || skips[0] < 0 {
      throw PipelineError.setting("--clip_skip", expected: "0 to \(most)", found: "\(skip)")
    }
    // One encoder after the other, so that only one is in memory.
    let first = try encode(CLIPTextModel.self, 0, texts, skips, profile)
    let second = try encode(CLIPTextModelWithProjection.self, 1, texts, skips, profile)
    return try prompts.map { prompt in
      guard let one = first[prompt.text], let two = second[prompt.text],
        let hidden1 = one.hidden[prompt.clipSkip], let hidden2 = two.hidden[prompt.clipSkip],
        let pooled = two.pooled
      else { preconditionFailure("every text was encoded") }
      let joined = Self.joined(hidden1, hidden2)
      guard joined.firstNonFinite() == nil, pooled.firstNonFinite() == nil else {
        throw PipelineError.notFinite(
          component: "text encoders", hint: "try --mixed_precision no or bf16")
      }
      return PromptEmbedding(hiddenStates: joined, pooled: pooled)
    }
  }

  /// What one encoder gives for one text.
  private struct Encoded {
    /// `[L, D]` by `clipSkip`.
    var hidden: [Int: HostTensor] = [:]
    /// `[P]`
    var pooled: HostTensor?
  }

  private func encode<E: TextEncoder>(
    _: E.Type, _ index: Int, _ texts: [String], _ skips: [Int], _ profile: ExecutionProfile?
  ) throws -> [String: Encoded] where E.Configuration == CLIPTextConfiguration {
    let configuration = configurations[index]
    let length = configuration.maxPositionEmbeddings
    let batch = min(texts.count, Self.batch)
    let graph = GraphBuilder()
    let encoder = E(graph.scope(weights[index].name), configuration)
    let ids = graph.input("ids", [batch, length], dtype: .int32)
    let isPooling = E.self == CLIPTextModelWithProjection.self
    let positions = isPooling ? graph.input("eos_positions", [batch], dtype: .int32) : nil
    let output = encoder(ids, eosPositions: positions)
    for skip in skips {
      graph.output("hidden.\(skip)", output.hiddenStates[configuration.numHiddenLayers - 1 - skip])
    }
    if let pooled = output.textEmbeds { graph.output("pooled", pooled) }
    let source = weights[index]
    let executable = try Executable(
      graph.lowered(), on: device, weights: DeviceWeights(device) { try source.tensor($0) })
    var result: [String: Encoded] = [:]
    for start in stride(from: 0, to: texts.count, by: batch) {
      let part = texts[start..<min(start + batch, texts.count)]
      var rows = part.map { tokenizers[index].encode($0, maxLength: length) }
      while rows.count < batch { rows.append(rows[0]) }
      var values = ["ids": HostTensor(rows.flatMap { $0 }, shape: [batch, length])]
      if isPooling {
        values["eos_positions"] = HostTensor(configuration.eosPositions(rows), shape: [batch])
      }
      let outputs = try executable.run(values, profile: profile)
      for (row, text) in part.enumerated() {
        var encoded = Encoded()
        for skip in skips { encoded.hidden[skip] = outputs["hidden.\(skip)"]?.row(row) }
        encoded.pooled = outputs["pooled"]?.row(row)
        result[text] = encoded
      }
    }
    return result
  }

  /// `[L, D1]` and `[L, D2]` to `[L, D1 + D2]`.
  private static func joined(_ a: HostTensor, _ b: HostTensor) -> HostTensor {
    let (first, second) = (a.floats(), b.floats())
    let (m, n) = (a.shape.last, b.shape.last)
    var values: [Float] = []
    values.reserveCapacity(first.count + second.count)
    for token in 0..<a.shape[0] {
      values += first[token * m..<(token + 1) * m]
      values += second[token * n..<(token + 1) * n]
    }
    return HostTensor(values, shape: [a.shape[0], m + n])
  }
}
