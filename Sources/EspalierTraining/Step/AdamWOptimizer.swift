import EspalierGraph
public import EspalierHost
import EspalierTensors
import Foundation

/// AdamW over all trained parameters, with the norm of the gradients for clipping.
///
/// Source: PyTorch `torch.optim.AdamW` and `clip_grad_norm_`.
public final class AdamWOptimizer {
  public struct Settings: Sendable, Equatable {
    public var beta1 = 0.9
    public var beta2 = 0.999
    public var epsilon = 1e-8
    public var weightDecay = 1e-2

    public init() {}
  }

  private let settings: Settings
  private let device: ComputeDevice
  private let norm: Executable
  private let update: Executable

  /// - Throws: `GraphError`, `BackendError`.
  public init(
    _ device: ComputeDevice, _ parameters: TrainedParameters, settings: Settings = Settings(),
    arenas: ArenaPool? = nil
  ) throws {
    self.settings = settings
    self.device = device
    let bound = parameters.bindings
    norm = try Executable(
      try Self.normProgram(parameters.shapes), on: device, bound: bound, arenas: arenas)
    update = try Executable(
      try Self.updateProgram(parameters.shapes), on: device, bound: bound, arenas: arenas)
  }

  /// The Euclidean norm of all gradients as they are stored, loss scale included.
  public func gradientNorm(profile: ExecutionProfile? = nil) throws(BackendError) -> Double {
    let sum = try norm.run(profile: profile)["sum"]?.floats().first ?? .nan
    return Double(sum).squareRoot()
  }

  /// One update in place; waits for it, so that an error of the device belongs to this call.
  ///
  /// - Parameters:
  ///   - step: The number of this update, counted from 1.
  ///   - gradientMultiplier: Undoes the loss scale and clips.
  public func step(
    _ step: Int, learningRate: Double, gradientMultiplier: Double,
    profile: ExecutionProfile? = nil
  ) throws(BackendError) {
    var scalars = [Float](repeating: 0, count: 16)
    scalars[0] = Float(learningRate)
    scalars[1] = Float(settings.beta1)
    scalars[2] = Float(settings.beta2)
    scalars[3] = Float(settings.epsilon)
    scalars[4] = Float(settings.weightDecay)
    scalars[5] = Float(1 - pow(settings.beta1, Double(step)))
    scalars[6] = Float(1 - pow(settings.beta2, Double(step)))
    scalars[7] = Float(gradientMultiplier)
    try update.run(["scalars": HostTensor(scalars, shape: [16])], profile: profile)
    try device.wait()
  }

  /// The factor that brings gradients of this norm to at most `maximum`, 1 if they are below.
  public static func clipFactor(norm: Double, maximum: Double) -> Double {
    min(1, maximum / (norm + 1e-6))
  }

  static func normProgram(_ shapes: [(path: String, shape: Shape)]) throws -> GraphProgram {
    let graph = GraphBuilder()
    let gradients = shapes.map {
      graph.state(TrainedParameters.Kind.gradient.name($0.path), $0.shape)
    }
    graph.output("sum", graph.apply(SumSquares(), gradients, path: "gradient norm"))
    return try graph.lowered()
  }

  static func updateProgram(_ shapes: [(path: String, shape: Shape)]) throws -> GraphProgram {
    let graph = GraphBuilder()
    var inputs = [graph.input("scalars", [16])]
    for (path, shape) in shapes {
      inputs += TrainedParameters.Kind.allCases.map { graph.state($0.name(path), shape) }
    }
    let outputs = graph.apply(outputs: AdamW(), inputs, path: "optimizer")
    for index in shapes.indices {
      graph.assign(inputs[1 + 4 * index], outputs[3 * index])
      graph.assign(inputs[3 + 4 * index], outputs[3 * index + 1])
      graph.assign(inputs[4 + 4 * index], outputs[3 * index + 2])
    }
    return try graph.lowered()
  }
}
