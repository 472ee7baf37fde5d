public import EspalierHost
public import EspalierModels
public import EspalierTensors
import EspalierGraph

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
    /// Tokens of a prompt.
    public var tokens: Int
    /// Feature maps that adapters add; 0 without adapter.
    public var featureCount: Int

    public init(batch: Int, height: Int, width: Int, tokens: Int, featureCount: Int) {
      self.batch = batch
      self.height = height
      self.width = width
      self.tokens = tokens
      self.featureCount = featureCount
    }
  }

  public let shapes: Shapes
  private let configuration: UNet2DConditionConfiguration
  private let featureShapes: [Shape]
  private let buffers: [String: DeviceBuffer]
  private let executable: Executable
  private let profile: ExecutionProfile?

  /// - Parameters:
  ///   - weights: Where `unet.…` comes from.
  /// - Throws: `GraphError`, `BackendError`, and what the weights' source throws.
  public init(
    _ configuration: UNet2DConditionConfiguration, _ shapes: Shapes, device: ComputeDevice,
    weights: DeviceWeights, arenas: ArenaPool? = nil, profile: ExecutionProfile? = nil
  ) throws {
    self.configuration = configuration
    self.shapes = shapes
    self.profile = profile
    let graph = GraphBuilder()
    let unet = UNet2DConditionModel(graph.scope("unet"), configuration)
    featureShapes = Array(
      configuration.adapterFeatureShapes(
        batch: shapes.batch, height: shapes.height, width: shapes.width
      ).prefix(shapes.featureCount))
    let batch = shapes.batch
    var constants: [String: Shape] = [
      "encoder_hidden_states": [batch, shapes.tokens, configuration.crossAttentionDim[0]]
    ]
    constants["add_embedding"] = configuration.projectionClassEmbeddingsInputDim.map {
      [batch, $0]
    }
    constants["guidance_embedding"] = configuration.timeCondProjDim.map { [batch, $0] }
    for (k, shape) in featureShapes.enumerated() { constants["feature.\(k)"] = shape }
    let inputs = constants.mapValues { $0 }.reduce(into: [String: Value]()) {
      $0[$1.key] = graph.input($1.key, $1.value)
    }
    guard let text = inputs["encoder_hidden_states"] else { preconditionFailure("no text") }
    let prediction = unet(
      DenoiserInputs(
        sample: graph.input(
          "sample", [batch, shapes.height, shapes.width, configuration.inChannels]),
        timeEmbedding: graph.input("time_embedding", [batch, configuration.blockOutChannels[0]]),
        addEmbedding: inputs["add_embedding"], guidanceEmbedding: inputs["guidance_embedding"],
        encoderHiddenStates: text,
        adapterFeatures: featureShapes.indices.compactMap { inputs["feature.\($0)"] }))
    graph.output("prediction", prediction)
    buffers = try constants.mapValues {
      try DeviceBuffer(device, byteCount: TensorSpec(.float32, $0).byteCount, usage: .io)
    }
    executable = try Executable(
      graph.lowered(), on: device, weights: weights, bound: buffers, arenas: arenas)
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
    try buffers["encoder_hidden_states"]?.write(.stacked(embeddings.map(\.hiddenStates)))
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
  public func callAsFunction(_ sample: HostTensor, timestep: Double) throws -> HostTensor {
    let times = [Double](repeating: timestep, count: shapes.batch)
    let outputs = try executable.run(
      ["sample": sample, "time_embedding": configuration.timeProjection(times)], profile: profile)
    guard let prediction = outputs["prediction"] else {
      preconditionFailure("the prediction is an output")
    }
    return prediction
  }
}
