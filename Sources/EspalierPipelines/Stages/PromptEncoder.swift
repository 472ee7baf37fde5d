import EspalierCheckpoints
import EspalierGraph
public import EspalierHost
public import EspalierModels
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

  /// Tokens of a prompt, padding included.
  public let tokenCount: Int
  /// The features of a token and of a pooled embedding.
  public let hiddenSize: Int
  public let pooledSize: Int
  /// The largest `clipSkip`.
  public let mostClipSkip: Int
  private let tokenizers: [CLIPTokenizer]
  private let encoders: [TextEncoderComponent]
  private let device: ComputeDevice

  /// Prompts that are encoded at the same time.
  private static let batch = 8

  /// Opens tokenizers and encoders; loads nothing.
  ///
  /// - Parameters:
  ///   - storage: The type that the weights are converted to; nil keeps the file's.
  ///   - models: The networks that are known.
  /// - Throws: `PipelineError`, `ModelError`, `CheckpointError`, `TokenizerError`.
  public init(
    _ folder: DiffusionFolder, device: ComputeDevice, storage: DType? = nil,
    models: ModelRegistry = .standard
  ) throws {
    encoders = try [DiffusionFolder.Component.textEncoder, .textEncoder2].map {
      try folder.textEncoder($0, storage: storage, models: models)
    }
    tokenizers = try [DiffusionFolder.Component.tokenizer, .tokenizer2].map {
      try folder.tokenizer($0)
    }
    self.device = device
    hiddenSize = encoders.reduce(0) { $0 + $1.configuration.hiddenSize }
    tokenCount = encoders[0].configuration.maxPositionEmbeddings
    // The encoders tell neither their layers nor their pooled features but by what they build.
    let outputs = encoders.map { Self.outputs($0, batch: 1, graph: GraphBuilder()) }
    guard let pooled = outputs[1].textEmbeds else {
      throw PipelineError.component(
        "text_encoder_2", path: folder.path, expected: "an encoder with a pooled embedding",
        found: "none", hint: "SDXL's second encoder is a CLIPTextModelWithProjection")
    }
    pooledSize = pooled.shape.last
    mostClipSkip = (outputs.map(\.hiddenStates.count).min() ?? 2) - 2
    try check(folder)
  }

  /// Refuses encoders and tokenizers of different models.
  private func check(_ folder: DiffusionFolder) throws(PipelineError) {
    let second = encoders[1].configuration.maxPositionEmbeddings
    guard second == tokenCount else {
      throw .component(
        "text_encoder_2", path: folder.path, expected: "max_position_embeddings \(tokenCount)",
        found: "\(second)", hint: "SDXL's two encoders take equally many tokens")
    }
    for (name, (tokenizer, encoder)) in zip(
      ["tokenizer", "tokenizer_2"], zip(tokenizers, encoders))
    {
      guard let size = (encoder.configuration as? CLIPTextConfiguration)?.vocabSize,
        tokenizer.vocabularySize > size
      else { continue }
      throw .component(
        name, path: folder.path, expected: "at most \(size) tokens, as the encoder",
        found: "\(tokenizer.vocabularySize)", hint: "tokenizer and encoder are of different models")
    }
  }

  /// The end of a text that is not encoded, because the text has more tokens than the encoders take.
  public func truncatedText(_ text: String) -> String? {
    tokenizers.lazy.compactMap { $0.truncatedText(text, maxLength: tokenCount) }.first
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
    if let skip = skips.first(where: { !(0...mostClipSkip).contains($0) }) {
      throw PipelineError.setting(
        "--clip_skip", expected: "0 to \(mostClipSkip)", found: "\(skip)")
    }
    // One encoder after the other, so that only one is in memory.
    let first = try encode(0, texts, skips, profile)
    let second = try encode(1, texts, skips, profile)
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

  private func encode(
    _ index: Int, _ texts: [String], _ skips: [Int], _ profile: ExecutionProfile?
  ) throws -> [String: Encoded] {
    let encoder = encoders[index]
    let batch = min(texts.count, Self.batch)
    let executable = try Executable(
      program(index, batch: batch, skips), on: device,
      weights: DeviceWeights(device, encoder.weights), name: Self.name)
    let takesPositions = executable.program.tensors(.input)[Self.positions] != nil
    var result: [String: Encoded] = [:]
    for start in stride(from: 0, to: texts.count, by: batch) {
      let part = texts[start..<min(start + batch, texts.count)]
      var rows = part.map { tokenizers[index].encode($0, maxLength: tokenCount) }
      while rows.count < batch { rows.append(rows[0]) }
      var values = [Self.ids: HostTensor(rows.flatMap { $0 }, shape: [batch, tokenCount])]
      if takesPositions {
        values[Self.positions] = HostTensor(
          encoder.configuration.eosPositions(rows), shape: [batch])
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

  /// For messages.
  private static let name = "a text encoder"

  /// What encoding texts takes: one encoder after the other; nothing is loaded.
  ///
  /// - Parameter textCount: Different texts.
  /// - Throws: `BackendError`, `CheckpointError`, `GraphError`.
  public func phase(textCount: Int, clipSkip: Int = 0) throws -> PlannedPhase {
    let batch = min(max(textCount, 1), Self.batch)
    let plans = try encoders.indices.map { index in
      try Executable.plan(
        of: program(index, batch: batch, [min(clipSkip, mostClipSkip)]), on: device,
        weights: DeviceWeights(device, encoders[index].weights))
    }
    let runs = (textCount + batch - 1) / batch
    let memory = plans.map(\.need).max { $0.resident < $1.resident } ?? MemoryNeed()
    return PlannedPhase(
      "text encoding", subject: Self.name, memory: memory, work: plans.map { ($0, runs) })
  }

  private func program(_ index: Int, batch: Int, _ skips: [Int]) throws -> GraphProgram {
    let graph = GraphBuilder()
    let output = Self.outputs(encoders[index], batch: batch, graph: graph)
    for skip in skips {
      graph.output("hidden.\(skip)", output.hiddenStates[output.hiddenStates.count - 2 - skip])
    }
    if index == 1, let pooled = output.textEmbeds { graph.output("pooled", pooled) }
    return try graph.lowered()
  }

  private static let ids = "ids"
  private static let positions = "eos_positions"

  private static func outputs(
    _ encoder: TextEncoderComponent, batch: Int, graph: GraphBuilder
  ) -> TextEncoderOutput {
    let length = encoder.configuration.maxPositionEmbeddings
    let network = encoder.declare(in: graph)
    let ids = graph.input(ids, [batch, length], dtype: .int32)
    let positions = graph.input(positions, [batch], dtype: .int32)
    return network.callAsFunction(ids, eosPositions: positions)
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
