public import EspalierGraph
public import EspalierHost
public import EspalierModels
import EspalierTensors

/// One micro-batch of the reference objective: adapter and UNet forward, mean squared error in f32, and the
/// gradients of the adapter alone.
///
/// The UNet is frozen: its weights have no gradient, and nothing upstream of the first injection point is
/// differentiated. Source: Diffusers `train_t2i_adapter_sdxl.py`.
public final class TrainingStep {
  /// Everything that fixes the graph.
  public struct Configuration: Sendable {
    public var unet: UNet2DConditionConfiguration
    public var adapter: T2IAdapterConfiguration
    public var batchSize: Int
    /// Of the latents.
    public var latentHeight: Int
    public var latentWidth: Int
    /// Pixels per latent pixel.
    public var vaeScaleFactor = 8
    /// Text tokens per sample.
    public var tokenCount = 77
    public var graph = GraphOptions()

    public init(
      unet: UNet2DConditionConfiguration, adapter: T2IAdapterConfiguration, batchSize: Int,
      latentHeight: Int, latentWidth: Int
    ) {
      self.unet = unet
      self.adapter = adapter
      self.batchSize = batchSize
      self.latentHeight = latentHeight
      self.latentWidth = latentWidth
    }
  }

  /// The losses of one micro-batch.
  public struct Result: Sendable {
    /// Mean over the batch of the weighted losses.
    public let loss: Float
    /// Unweighted mean squared error of each sample.
    public let perSample: [Float]
  }

  private let configuration: Configuration
  private let first: Executable
  private let following: Executable?

  /// Builds and compiles the graph.
  ///
  /// - Parameters:
  ///   - weights: The frozen UNet's, under `unet.`.
  ///   - accumulates: True if gradients of several micro-batches are summed before an update.
  ///   - kept: Which copies of the weights to keep, of those that `Executable.plan` gives.
  /// - Throws: `GraphError` (an adapter whose features do not fit the UNet), `BackendError`.
  public init(
    _ configuration: Configuration, on device: ComputeDevice, weights: DeviceWeights,
    parameters: TrainedParameters, accumulates: Bool, arenas: ArenaPool? = nil,
    keeping kept: KeptCopies = KeptCopies()
  ) throws {
    self.configuration = configuration
    func executable(accumulating: Bool) throws -> Executable {
      try Executable(
        try Self.program(configuration, accumulating: accumulating), on: device, weights: weights,
        bound: parameters.bindings, arenas: arenas, keeping: kept, name: Self.name)
    }
    first = try executable(accumulating: false)
    following = accumulates ? try executable(accumulating: true) : nil
  }

  /// For messages.
  static let name = "a training step"

  /// Bytes of temporaries at the peak of a step.
  public var arenaByteCount: Int { first.arenaByteCount }

  /// Computes the losses and leaves the gradients in the parameters' gradient buffers.
  ///
  /// - Parameters:
  ///   - seed: The cotangent of the loss: the loss scale over the number of micro-batches.
  ///   - isFirst: True for the first micro-batch of an update, which replaces the gradients; the
  ///     following ones are added.
  public func run(
    _ batch: TrainingBatch, seed: Double, isFirst: Bool, profile: ExecutionProfile? = nil
  ) throws(BackendError) -> Result {
    let unet = configuration.unet
    var inputs = [
      "sample": batch.sample,
      "time_embedding": unet.timeProjection(batch.timesteps),
      "encoder_hidden_states": batch.encoderHiddenStates,
      "control": batch.control,
      "target": batch.target,
      "weights": batch.weights,
      "seed": HostTensor([Float(seed)], shape: [1]),
    ]
    inputs["add_embedding"] = unet.additionProjection(
      textEmbeds: batch.textEmbeds, timeIDs: batch.timeIDs)
    let outputs = try (isFirst ? first : following ?? first).run(inputs, profile: profile)
    return Result(
      loss: outputs["loss"]?.floats().first ?? .nan,
      perSample: outputs["loss_per_sample"]?.floats() ?? [])
  }

  /// The graph of a step, for inspection.
  ///
  /// - Parameter accumulating: True to add to the gradients instead of replacing them.
  public static func program(
    _ configuration: Configuration, accumulating: Bool = false
  ) throws(GraphError) -> GraphProgram {
    let graph = GraphBuilder(options: configuration.graph) { $0.hasPrefix("adapter.") }
    let (loss, perSample) = forward(configuration, graph)
    let parameters = graph.trainablePaths.map { path in
      (path: path, value: graph.parameter(path, graph.parameterShapes[path] ?? []))
    }
    let gradients = try graph.gradients(
      of: loss, seed: graph.input("seed", [1]), by: parameters)
    for (parameter, gradient) in zip(parameters, gradients) {
      let name = TrainedParameters.Kind.gradient.name(parameter.path)
      if accumulating {
        let sum = graph.state(name, gradient.shape)
        graph.assign(sum, sum + gradient)
      } else {
        graph.output(name, gradient)
      }
    }
    graph.output("loss", loss)
    graph.output("loss_per_sample", perSample)
    return try graph.lowered()
  }

  private static func forward(
    _ configuration: Configuration, _ graph: GraphBuilder
  ) -> (loss: Value, perSample: Value) {
    let (batch, unet) = (configuration.batchSize, configuration.unet)
    let (height, width) = (configuration.latentHeight, configuration.latentWidth)
    let control = graph.input(
      "control",
      [
        batch, height * configuration.vaeScaleFactor, width * configuration.vaeScaleFactor,
        configuration.adapter.inChannels,
      ])
    let adapter = T2IAdapter(graph.scope("adapter"), configuration.adapter)
    let model = UNet2DConditionModel(graph.scope("unet"), unet)
    let prediction = model(
      DenoiserInputs(
        sample: graph.input("sample", [batch, height, width, unet.inChannels]),
        timeEmbedding: graph.input("time_embedding", [batch, unet.blockOutChannels[0]]),
        addEmbedding: unet.projectionClassEmbeddingsInputDim.map {
          graph.input("add_embedding", [batch, $0])
        },
        encoderHiddenStates: graph.input(
          "encoder_hidden_states", [batch, configuration.tokenCount, unet.crossAttentionDim[0]]),
        adapterFeatures: adapter.features(of: control)))
    let target = graph.input("target", prediction.shape)
    return prediction.weightedMSE(target: target, weight: graph.input("weights", [batch]))
  }
}
