import EspalierGraph
package import EspalierHost
import EspalierModels
import EspalierTensors

/// One direction of a VAE for maps of one size, whole or in bands.
package struct AutoencoderProgram {
  package enum Direction: Sendable {
    case encode, decode

    /// For messages.
    var subject: String {
      switch self {
      case .encode: "the VAE's encoder"
      case .decode: "the VAE's decoder"
      }
    }
  }

  /// How large bands are made; tests make them small.
  package struct Limits: Sendable {
    /// Maps of at most this size are never divided.
    package var wholeMapBytes = 128 << 20
    /// What the maps of a band take together.
    package var bandBytes = 256 << 20

    package init() {}
  }

  let direction: Direction
  private let vae: AutoencoderComponent
  private let input: Shape
  private let device: ComputeDevice
  private let limits: Limits

  /// - Parameter height: Of the input, as `width`: pixels to encode, latents to decode.
  package init(
    _ direction: Direction, _ vae: AutoencoderComponent, height: Int, width: Int,
    device: ComputeDevice, limits: Limits = Limits()
  ) {
    self.direction = direction
    self.vae = vae
    self.device = device
    self.limits = limits
    input = [1, height, width, direction == .encode ? 3 : vae.configuration.latentChannels]
  }

  static let inputName = "input"
  static let outputName = "output"

  /// The undivided network.
  ///
  /// - Throws: `GraphError`.
  func whole() throws -> GraphProgram {
    let graph = GraphBuilder()
    let network = vae.declare(in: graph)
    let x = graph.input(Self.inputName, input)
    graph.output(Self.outputName, direction == .encode ? network.encode(x) : network.decode(x))
    return try graph.lowered()
  }

  /// The network in bands.
  ///
  /// - Throws: `PipelineError.component` if the network cannot be divided.
  func banded() throws(PipelineError) -> BandedNetwork {
    guard let network = vae.declare(in: GraphBuilder()) as? any BandedAutoencoder else {
      throw .component(
        "vae", path: vae.weights.path, expected: "a network that can work in bands",
        found: "one that cannot", hint: "use --vae_tiling off")
    }
    let (height, width) = (input[1], input[2])
    func stages(_ limit: Int) -> [BandStage] {
      direction == .encode
        ? network.encodingStages(height: height, width: width, wholeByteLimit: limit)
        : network.decodingStages(height: height, width: width, wholeByteLimit: limit)
    }
    // Of a network that is all small, only its largest maps are divided.
    let largest = stages(0).flatMap(\.outputs).map { 4 * $0.shape.count }.max() ?? 0
    return BandedNetwork(
      network, stages(min(limits.wholeMapBytes, largest / 8)), input: input,
      bandByteLimit: limits.bandBytes, bufferByteLimit: device.info.maxBufferByteCount)
  }

  /// How it will run, and what that takes.
  package struct Plan {
    package let isBanded: Bool
    package var memory: MemoryNeed
    package let work: [(plan: ProgramPlan, runs: Int)]
  }

  /// Plans for a device, choosing between the whole and bands; loads nothing.
  ///
  /// - Parameter runs: How often it will run.
  /// - Throws: `BackendError`, `GraphError`, `CheckpointError`, `PipelineError.component`.
  package func plan(_ tiling: VAETiling, runs: Int = 1) throws -> Plan {
    if tiling == .on { return try bandedPlan(runs: runs) }
    do {
      let plan = try Executable.plan(
        of: whole(), on: device, weights: DeviceWeights(device, vae.weights))
      if tiling == .auto {
        if plan.need.resident > VAETiling.wholeByteLimit { return try bandedPlan(runs: runs) }
        try device.check(plan.need, for: direction.subject)
      }
      return Plan(isBanded: false, memory: plan.need, work: [(plan, runs)])
    } catch let error as BackendError {
      guard tiling == .auto else { throw error }
      switch error {
      // In bands it may fit; if it does not, that is refused with its own numbers.
      case .notEnoughMemory, .tooLarge: return try bandedPlan(runs: runs)
      default: throw error
      }
    }
  }

  private func bandedPlan(runs: Int) throws -> Plan {
    let network = try banded()
    let weights = DeviceWeights(device, vae.weights)
    var peak = MemoryNeed()
    var all = MemoryNeed()
    var work: [(plan: ProgramPlan, runs: Int)] = []
    for (position, stage) in network.stages.enumerated() {
      var plans: [BandedNetwork.Key: (plan: ProgramPlan, runs: Int)] = [:]
      for band in network.bands[position] {
        let key = network.key(stage, band)
        let plan =
          try plans[key]?.plan
          ?? Executable.plan(
            of: network.program(stage, band).program, on: device, weights: weights)
        plans[key] = (plan, (plans[key]?.runs ?? 0) + runs)
      }
      work += plans.values
      // The weights of one step stay for the next, all other memory is shared or given back.
      var need = MemoryNeed()
      for (plan, _) in plans.values {
        need.activations = max(need.activations, plan.need.activations)
        need.workspace = max(need.workspace, plan.need.workspace)
        need.inputsAndOutputs += plan.need.inputsAndOutputs
      }
      need.host = network.hostBytes(during: position)
      let largest = plans.values.map(\.plan.need).max { $0.weights < $1.weights }
      all.weights += largest?.weights ?? 0
      all.mappedWeights += plans.values.map(\.plan.need.mappedWeights).max() ?? 0
      if need.resident > peak.resident { peak = need }
    }
    return Plan(isBanded: true, memory: peak + all, work: work)
  }
}

/// One direction of a VAE, ready to run.
final class AutoencoderRun {
  private enum Form {
    case whole(Executable)
    case banded(BandedRun)
  }

  private let form: Form

  /// True if it works in bands.
  var isBanded: Bool {
    if case .banded = form { true } else { false }
  }

  /// - Throws: As `AutoencoderProgram.plan`; `CheckpointError` if a weight is not finite.
  init(
    _ program: AutoencoderProgram, _ vae: AutoencoderComponent, tiling: VAETiling,
    device: ComputeDevice, arenas: ArenaPool?
  ) throws {
    let weights = DeviceWeights(device, vae.weights)
    if try program.plan(tiling).isBanded {
      form = .banded(
        BandedRun(try program.banded(), device: device, weights: weights, arenas: arenas))
    } else {
      form = .whole(
        try Executable(
          program.whole(), on: device, weights: weights, arenas: arenas,
          name: program.direction.subject))
    }
  }

  /// - Parameter input: f32 `[1, H, W, C]`.
  /// - Throws: `BackendError`, `GraphError`, `CheckpointError`; `PipelineError.cancelled`.
  func callAsFunction(_ input: HostTensor, profile: ExecutionProfile?) throws -> HostTensor {
    switch form {
    case .banded(let run): return try run(input, profile: profile)
    case .whole(let executable):
      let outputs = try executable.run(
        [AutoencoderProgram.inputName: input], profile: profile)
      guard let output = outputs[AutoencoderProgram.outputName] else {
        preconditionFailure("the program has one output")
      }
      return output
    }
  }
}
