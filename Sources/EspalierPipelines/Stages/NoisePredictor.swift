public import EspalierGraph
public import EspalierHost
import EspalierModels
public import EspalierTensors

/// The UNet for one batch size and picture size: predicts the noise in latents, step after step.
///
/// Text, sizes and adapter features stay on the device between steps; a step brings latents and time only.
public final class NoisePredictor {
  /// What the network is compiled for.
  public struct Shapes: Sendable, Equatable {
    /// Samples; with guidance two for each picture.
    public var batch: Int
    /// Sides of the latents.
    public var height: Int
    public var width: Int
    /// Tokens of a prompt, features of a token and of a pooled embedding.
    public var tokens: Int
    public var textFeatures: Int
    public var pooledFeatures: Int
    /// Feature maps that adapters add; 0 without adapter.
    public var featureCount: Int

    public init(
      batch: Int, height: Int, width: Int, tokens: Int, textFeatures: Int, pooledFeatures: Int,
      featureCount: Int
    ) {
      self.batch = batch
      self.height = height
      self.width = width
      self.tokens = tokens
      self.textFeatures = textFeatures
      self.pooledFeatures = pooledFeatures
      self.featureCount = featureCount
    }

    /// For pictures whose prompts `encoder` encodes.
    public init(batch: Int, height: Int, width: Int, encoder: PromptEncoder, featureCount: Int) {
      self.init(
        batch: batch, height: height, width: width, tokens: encoder.tokenCount,
        textFeatures: encoder.hiddenSize, pooledFeatures: encoder.pooledSize,
        featureCount: featureCount)
    }
  }

  public let shapes: Shapes
  private let configuration: any DenoiserConfiguration
  private let featureShapes: [Shape]
  private let buffers: [String: DeviceBuffer]
  private let executable: Executable
  private let profile: ExecutionProfile?

  /// - Parameters:
  ///   - denoiser: The network.
  ///   - weights: Its weights on the device; other predictors may share them.
  ///   - options: Which passes run.
  ///   - kept: Which copies of the weights to keep, of those that `plan` gives.
  /// - Throws: `GraphError`, `BackendError`, and what the weights' source throws.
  public init(
    _ denoiser: DenoiserComponent, _ shapes: Shapes, device: ComputeDevice, weights: DeviceWeights,
    options: GraphOptions = GraphOptions(), arenas: ArenaPool? = nil,
    keeping kept: KeptCopies = KeptCopies(), profile: ExecutionProfile? = nil
  ) throws {
    configuration = denoiser.configuration
    self.shapes = shapes
    self.profile = profile
    featureShapes = Self.featureShapes(shapes, configuration)
    buffers = try Dictionary(
      uniqueKeysWithValues: Self.constants(shapes, featureShapes, configuration)
    ).mapValues {
      try DeviceBuffer(device, byteCount: TensorSpec(.float32, $0).byteCount, usage: .io)
    }
    executable = try Executable(
      Self.program(denoiser, shapes, options: options), on: device, weights: weights,
      bound: buffers, arenas: arenas, keeping: kept, name: Self.name)
  }

  /// For messages.
  public static let name = "the UNet"

  /// What a predictor would take; nothing is loaded.
  ///
  /// - Throws: As `init`.
  public static func plan(
    _ denoiser: DenoiserComponent, _ shapes: Shapes, device: ComputeDevice, weights: DeviceWeights,
    options: GraphOptions = GraphOptions()
  ) throws -> ProgramPlan {
    try Executable.plan(
      of: program(denoiser, shapes, options: options), on: device, weights: weights)
  }

  private static func program(
    _ denoiser: DenoiserComponent, _ shapes: Shapes, options: GraphOptions = GraphOptions()
  ) throws -> GraphProgram {
    let configuration = denoiser.configuration
    let featureShapes = featureShapes(shapes, configuration)
    let constants = constants(shapes, featureShapes, configuration)
    let graph = GraphBuilder(options: options)
    let network = denoiser.declare(in: graph)
    var inputs: [String: Value] = [:]
    for (name, shape) in constants { inputs[name] = graph.input(name, shape) }
    let sample = graph.input(
      "sample", [shapes.batch, shapes.height, shapes.width, configuration.inChannels])
    let time = configuration.timeProjection([Double](repeating: 0, count: shapes.batch)).shape
    let values = DenoiserInputs(
      sample: sample, timeEmbedding: graph.input("time_embedding", time),
      addEmbedding: inputs["add_embedding"], guidanceEmbedding: inputs["guidance_embedding"],
      encoderHiddenStates: inputs[Self.text] ?? sample,
      adapterFeatures: featureShapes.indices.compactMap { inputs["feature.\($0)"] })
    graph.output("prediction", network.callAsFunction(values, recorder: .none))
    return try graph.lowered()
  }

  private static func featureShapes(
    _ shapes: Shapes, _ configuration: any DenoiserConfiguration
  ) -> [Shape] {
    Array(
      configuration.adapterFeatureShapes(
        batch: shapes.batch, height: shapes.height, width: shapes.width
      ).prefix(shapes.featureCount))
  }

  private static let text = "encoder_hidden_states"

  /// The inputs that stay on the device, always in the same order.
  private static func constants(
    _ shapes: Shapes, _ featureShapes: [Shape], _ configuration: any DenoiserConfiguration
  ) -> [(String, Shape)] {
    let batch = shapes.batch
    var result: [(String, Shape)] = [(text, [batch, shapes.tokens, shapes.textFeatures])]
    let addition = configuration.additionProjection(
      textEmbeds: HostTensor(shape: [batch, shapes.pooledFeatures]),
      timeIDs: [[Double]](repeating: [0, 0, 0, 0, 0, 0], count: batch))
    if let addition { result.append(("add_embedding", addition.shape)) }
    if let dim = configuration.timeCondProjDim {
      result.append(("guidance_embedding", [batch, dim]))
    }
    return result + featureShapes.enumerated().map { ("feature.\($0)", $1) }
  }

  /// Bytes of temporaries at the peak of a step.
  public var arenaByteCount: Int { executable.arenaByteCount }

  /// Sets text and sizes for the steps to come.
  ///
  /// - Parameters:
  ///   - embeddings: One for each sample.
  ///   - timeIDs: Original height and width, crop top and left, target height and width, for each sample.
  ///   - guidanceScale: For guidance-distilled checkpoints.
  /// - Throws: `BackendError`.
  public func setPrompts(
    _ embeddings: [PromptEmbedding], timeIDs: [[Double]], guidanceScale: Double
  ) throws {
    precondition(embeddings.count == shapes.batch, "one embedding for each sample")
    try buffers[Self.text]?.write(.stacked(embeddings.map(\.hiddenStates)))
    let pooled = HostTensor.stacked(embeddings.map(\.pooled))
    if let addition = configuration.additionProjection(textEmbeds: pooled, timeIDs: timeIDs) {
      try buffers["add_embedding"]?.write(addition)
    }
    if let dim = configuration.timeCondProjDim {
      let scales = [Double](repeating: guidanceScale - 1, count: shapes.batch)
      try buffers["guidance_embedding"]?.write(
        SinusoidalEmbedding.guidanceScales(scales, dim: dim))
    }
  }

  /// Sets the adapter's feature maps for the steps to come.
  ///
  /// - Parameter features: For each sample its maps `[1, h, w, C]`; nil for zeros, which change nothing.
  /// - Throws: `BackendError`.
  public func setFeatures(_ features: [[HostTensor]]?) throws {
    for (k, shape) in featureShapes.enumerated() {
      let map: HostTensor
      if let features {
        precondition(features.count == shapes.batch, "maps for each sample")
        map = HostTensor.concatenated(features.map { $0[k] })
      } else {
        map = HostTensor(shape: shape)
      }
      try buffers["feature.\(k)"]?.write(map)
    }
  }

  /// Predicts at one timestep.
  ///
  /// - Parameter sample: Scaled latents, f32 `[batch, height, width, channels]`.
  /// - Returns: f32, the same shape.
  /// - Throws: `BackendError`.
  public func callAsFunction(
    _ sample: HostTensor, timestep: Double, profile: ExecutionProfile? = nil
  ) throws -> HostTensor {
    let times = [Double](repeating: timestep, count: shapes.batch)
    let outputs = try executable.run(
      ["sample": sample, "time_embedding": configuration.timeProjection(times)],
      profile: profile ?? self.profile)
    guard let prediction = outputs["prediction"] else {
      preconditionFailure("the prediction is an output")
    }
    return prediction
  }
}
