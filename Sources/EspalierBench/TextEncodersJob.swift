import EspalierGraph
import EspalierHost
import EspalierModels
import EspalierPipelines
import EspalierTensors

/// Both text encoders on one prompt: the penultimate hidden states, and the pooled embedding of the second.
struct TextEncodersJob: Job {
  private let executables: [Executable]
  private let inputs: [[String: HostTensor]]
  private var outputs: [(name: String, tensor: HostTensor)] = []

  init(_ place: Workplace) throws {
    let first = try place.folder.open(.textEncoder, as: CLIPTextModel.self)
    let second = try place.folder.open(.textEncoder2, as: CLIPTextModelWithProjection.self)
    executables = [
      try Self.executable(CLIPTextModel.self, first.configuration, first.weights, place),
      try Self.executable(
        CLIPTextModelWithProjection.self, second.configuration, second.weights, place),
    ]
    inputs = [first.configuration, second.configuration].map { configuration in
      let ids = Self.ids(configuration)
      return [
        "ids": HostTensor(ids, shape: [1, ids.count]),
        "eos_positions": HostTensor(configuration.eosPositions([ids]), shape: [1]),
      ]
    }
  }

  /// A start, words, and the end in all that is left.
  private static func ids(_ configuration: CLIPTextConfiguration) -> [Int32] {
    let end = Int32(configuration.vocabSize - 1)
    return (0..<configuration.maxPositionEmbeddings).map { position in
      position == 0 ? end - 1 : position < 8 ? Int32(position * 37 % configuration.vocabSize) : end
    }
  }

  private static func executable<Encoder: TextEncoder>(
    _: Encoder.Type, _ configuration: Encoder.Configuration, _ weights: ComponentWeights,
    _ place: Workplace
  ) throws -> Executable where Encoder.Configuration == CLIPTextConfiguration {
    let graph = GraphBuilder()
    let encoder = Encoder(graph.scope(weights.name), configuration)
    let output = encoder(
      graph.input("ids", [1, configuration.maxPositionEmbeddings], dtype: .int32),
      eosPositions: graph.input("eos_positions", [1], dtype: .int32))
    if let penultimate = output.hiddenStates.dropLast().last {
      graph.output("hidden", penultimate)
    }
    if let pooled = output.textEmbeds { graph.output("pooled", pooled) }
    return try Executable(
      graph.lowered(), on: place.device, weights: DeviceWeights(place.device, weights),
      name: weights.name)
  }

  mutating func run(profile: ExecutionProfile?) throws {
    outputs = []
    for (k, (executable, inputs)) in zip(executables, inputs).enumerated() {
      let wanted = inputs.filter { executable.program.tensors(.input)[$0.key] != nil }
      let results = try executable.run(wanted, profile: profile)
      outputs += results.map { ("\($0.key).\(k)", $0.value) }
    }
  }

  func results() -> [(name: String, tensor: HostTensor)] { outputs }
}
