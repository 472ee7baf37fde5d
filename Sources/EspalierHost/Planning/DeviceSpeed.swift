public import EspalierGraph
import EspalierTensors
import Foundation

/// How fast a device is at what takes the time of a run, measured with its own kernels in about a second.
///
/// Products are taken to cost a time for each operation, which depends on their kind, and one for each weight, which
/// has to be fetched and unpacked; everything else a time for each byte that passes through memory.
public struct DeviceSpeed: Sendable {
  /// Seconds of an operation and of a weight.
  public struct Rate: Sendable, Equatable {
    public var secondsPerOperation: Double
    public var secondsPerWeight: Double

    public init(secondsPerOperation: Double, secondsPerWeight: Double = 0) {
      self.secondsPerOperation = secondsPerOperation
      self.secondsPerWeight = secondsPerWeight
    }

    /// The rate that explains two measurements: of work that mostly multiplies, and of work that mostly reads weights.
    init(
      _ large: (cost: OperationCost, seconds: Double),
      _ narrow: (cost: OperationCost, seconds: Double)
    ) {
      let (a, b) = (large.cost.floatingPointOperations, large.cost.weightElements)
      let (c, d) = (narrow.cost.floatingPointOperations, narrow.cost.weightElements)
      let determinant = a * d - b * c
      let perWeight = (a * narrow.seconds - c * large.seconds) / determinant
      secondsPerWeight = perWeight.isFinite ? max(0, perWeight) : 0
      secondsPerOperation = max(0, large.seconds - secondsPerWeight * b) / a
    }

    func seconds(_ cost: OperationCost) -> Double {
      cost.floatingPointOperations * secondsPerOperation + cost.weightElements * secondsPerWeight
    }
  }

  public var linear: Rate
  /// Of linear maps, with respect to their input.
  public var linearBackward: Rate
  /// Convolutions with kernels larger than 1×1 of maps of few and of many channels, by the number of channels.
  public var convolution: [(channels: Double, rate: Rate)]
  public var convolutionBackward: Rate
  public var attention: Rate
  public var attentionBackward: Rate
  /// Of everything that is no product.
  public var secondsPerByte: Double
  /// To start an operation.
  public var secondsPerNode = 5e-6

  private typealias Measurement = (cost: OperationCost, seconds: Double)

  /// Measures; on a device that would need minutes for all of it, products are taken to be as fast as a small one.
  ///
  /// - Throws: `BackendError`.
  public init(measuring device: ComputeDevice) throws {
    let small = try SpeedProbe.linear(rows: 77, features: 1280)
    let product = (cost: small.cost, seconds: try small.measure(on: device))
    if product.seconds < Self.slow {
      try self.init(narrow: product, measuring: device)
    } else {
      try self.init(only: product, measuring: device)
    }
  }

  /// Seconds of 0.25 GFLOP from which on a device is slow: ten times what a core of a CPU needs.
  private static let slow = 0.1

  private init(narrow: Measurement, measuring device: ComputeDevice) throws {
    func measured(_ probe: SpeedProbe) throws -> Measurement {
      (probe.cost, try probe.measure(on: device))
    }
    func rate(_ probe: SpeedProbe) throws -> Rate {
      let (cost, seconds) = try measured(probe)
      return Rate(secondsPerOperation: seconds / max(cost.floatingPointOperations, 1))
    }
    linear = Rate(try measured(.linear(rows: 1024, features: 1280)), narrow)
    linearBackward = try rate(
      .backward(.linearDX, of: [1, 1024, 1280]) {
        $1.linear(weight: $0.parameter("w", [1280, 1280]))
      })
    let many = Rate(
      try measured(.convolution(side: 32, channels: 640)),
      try measured(.convolution(side: 16, channels: 1280)))
    let (few, seconds) = try measured(.convolution(side: 128, channels: 128))
    convolution = [
      (128, Rate(secondsPerOperation: seconds / few.floatingPointOperations)), (640, many),
    ]
    convolutionBackward = try rate(
      .backward(.conv2dDX, of: [1, 32, 32, 640]) {
        $1.conv2d(weight: $0.parameter("w", [640, 640, 3, 3]), padding: Padding2D(1))
      })
    attention = try rate(.attention(tokens: 1024, heads: 10))
    attentionBackward = try rate(
      .backward(.attentionBackward, of: [1, 1024, 640]) {
        $1.attention(keys: $1, values: $1, heads: 10)
      })
    secondsPerByte = try Self.secondsPerByte(of: device)
  }

  private init(only product: Measurement, measuring device: ComputeDevice) throws {
    let rate = Rate(secondsPerOperation: product.seconds / product.cost.floatingPointOperations)
    (linear, linearBackward, convolutionBackward) = (rate, rate, rate)
    (attention, attentionBackward) = (rate, rate)
    convolution = [(640, rate)]
    secondsPerByte = try Self.secondsPerByte(of: device)
  }

  private static func secondsPerByte(of device: ComputeDevice) throws -> Double {
    let norm = try SpeedProbe.normalisation(side: 64, channels: 640)
    return try norm.measure(on: device) / norm.cost.activationBytes
  }

  /// An estimate for one run of a program.
  public func seconds(for program: GraphProgram) -> Double {
    program.nodes.reduce(0) { $0 + seconds(for: $1, of: program) }
  }

  private func seconds(for node: GraphProgram.Node, of program: GraphProgram) -> Double {
    let cost = program.cost(of: node)
    let rate: Rate
    switch node.code {
    case .linear, .linearDW: rate = linear
    case .linearDX: rate = linearBackward
    case .conv2d, .conv2dDX, .conv2dDW: rate = convolutionRate(of: node, in: program)
    case .attention: rate = attention
    case .attentionBackward: rate = attentionBackward
    default: return secondsPerNode + cost.activationBytes * secondsPerByte
    }
    return secondsPerNode + rate.seconds(cost)
  }

  /// Kernels of 1×1 are linear maps; between the measured numbers of channels the rate changes with their logarithm.
  private func convolutionRate(of node: GraphProgram.Node, in program: GraphProgram) -> Rate {
    let isForward = node.code == .conv2d
    let weight = node.code == .conv2dDW ? node.outputs[0] : node.inputs[1]
    guard let shape = weight.map({ program.tensors[$0].spec.shape }), shape.rank == 4 else {
      return linear
    }
    if shape[2] * shape[3] == 1 { return isForward ? linear : linearBackward }
    guard isForward else { return convolutionBackward }
    return convolutionRate(channels: Double(min(shape[0], shape[1])))
  }

  private func convolutionRate(channels: Double) -> Rate {
    guard let few = convolution.first, let many = convolution.last,
      few.channels < many.channels
    else { return convolution.first?.rate ?? linear }
    let share = log2(channels / few.channels) / log2(many.channels / few.channels)
    let clamped = min(max(share, 0), 1)
    func between(_ path: KeyPath<Rate, Double>) -> Double {
      few.rate[keyPath: path] * (1 - clamped) + many.rate[keyPath: path] * clamped
    }
    return Rate(
      secondsPerOperation: between(\.secondsPerOperation),
      secondsPerWeight: between(\.secondsPerWeight))
  }
}
