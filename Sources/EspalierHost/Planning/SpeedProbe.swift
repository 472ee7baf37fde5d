import EspalierGraph
import EspalierTensors

/// A small piece of work that tells how fast a device does one kind of operation.
struct SpeedProbe: Sendable {
  let code: OperationCode
  let program: GraphProgram
  /// Of the node of interest.
  let cost: OperationCost

  /// - Parameter build: Emits the operation; its first node of `code` is what is timed.
  init(_ code: OperationCode, _ build: (GraphBuilder) throws -> Void) throws {
    let graph = GraphBuilder(isTrainable: { $0.hasPrefix(Self.trained) })
    try build(graph)
    program = try graph.lowered()
    self.code = code
    cost = program.nodes.first { $0.code == code }.map(program.cost) ?? OperationCost()
  }

  private static let trained = "trained."

  /// `x·wᵀ`.
  static func linear(rows: Int, features: Int) throws -> SpeedProbe {
    try SpeedProbe(.linear) { graph in
      graph.output(
        "y",
        graph.input("x", [1, rows, features]).linear(
          weight: graph.parameter("w", [features, features])))
    }
  }

  /// A 3×3 convolution of a square map.
  static func convolution(side: Int, channels: Int) throws -> SpeedProbe {
    try SpeedProbe(.conv2d) { graph in
      graph.output(
        "y",
        graph.input("x", [1, side, side, channels]).conv2d(
          weight: graph.parameter("w", [channels, channels, 3, 3]), padding: Padding2D(1)))
    }
  }

  /// Self-attention of heads of 64.
  static func attention(tokens: Int, heads: Int) throws -> SpeedProbe {
    try SpeedProbe(.attention) { graph in
      let x = graph.input("x", [1, tokens, heads * 64])
      graph.output("y", x.attention(keys: x, values: x, heads: heads))
    }
  }

  /// The normalisation of a map, which is as fast as memory is.
  static func normalisation(side: Int, channels: Int) throws -> SpeedProbe {
    try SpeedProbe(.groupNorm) { graph in
      let norm = graph.input("x", [1, side, side, channels]).groupNorm(
        groups: 32, gamma: graph.parameter("gamma", [channels]),
        beta: graph.parameter("beta", [channels]), epsilon: 1e-5)
      graph.output("y", norm.silu())
    }
  }

  /// The gradient of `forward` with respect to its input.
  static func backward(
    _ code: OperationCode, of shape: Shape, _ forward: @escaping (GraphBuilder, Value) -> Value
  ) throws -> SpeedProbe {
    try SpeedProbe(code) { graph in
      let parameter = graph.parameter(trained + "shift", [shape.last])
      let y = forward(graph, graph.input("x", shape) + parameter)
      let (loss, _) = y.weightedMSE(
        target: graph.input("target", y.shape), weight: graph.input("weight", [1]))
      let gradient = try graph.gradients(
        of: loss, seed: graph.input("seed", [1]), by: [(path: trained + "shift", value: parameter)])
      graph.output("gradient", gradient[0])
    }
  }

  /// Runs it a few times, once if it is slow, and takes the fastest.
  ///
  /// - Returns: Seconds of the node.
  func measure(on device: ComputeDevice) throws -> Double {
    let storage: DType = device.info.weightDTypes.contains(.float16) ? .float16 : .float32
    let shapes = program.tensors(.weight).mapValues { program.tensors[$0].spec.shape }
    let weights = DeviceWeights(device) { path in
      HostTensor(dtype: storage, shape: shapes[path] ?? [])
    }
    let states = try program.tensors(.state).mapValues {
      try DeviceBuffer(device, state: HostTensor(shape: program.tensors[$0].spec.shape))
    }
    let executable = try Executable(
      program, on: device, weights: weights, bound: states, name: "a measurement of speed")
    let values = program.tensors(.input).mapValues {
      HostTensor(dtype: program.tensors[$0].spec.dtype, shape: program.tensors[$0].spec.shape)
    }
    var best = Double.infinity
    for _ in 0..<Self.most {
      let profile = ExecutionProfile()
      try executable.run(values, profile: profile)
      let nanoseconds = profile.byOperation.first { $0.code == code }?.nanoseconds ?? 0
      let seconds = Double(nanoseconds) / 1e9
      best = min(best, seconds)
      if seconds > Self.slow { break }
    }
    return best
  }

  /// The first run is slower, since it touches memory that is new.
  private static let most = 3

  /// Seconds of a run after which it is not repeated.
  private static let slow = 0.15
}
