import EspalierGraph
import EspalierHost
import EspalierModels
import EspalierTensors

/// Runs a network in bands. Between its steps the maps lie on the host.
final class BandedRun {
  private let network: BandedNetwork
  private let device: ComputeDevice
  private let weights: DeviceWeights
  private let arenas: ArenaPool
  /// The groups of maps by their numbers.
  private var statistics: [Int: [GroupMoments]] = [:]
  private var maps: [Int: HostTensor] = [:]

  init(
    _ network: BandedNetwork, device: ComputeDevice, weights: DeviceWeights, arenas: ArenaPool?
  ) {
    self.network = network
    self.device = device
    self.weights = weights
    self.arenas = arenas ?? ArenaPool(device)
  }

  /// Computes the network's result.
  ///
  /// - Throws: `GraphError`, `BackendError`, `CheckpointError`; `PipelineError.cancelled`.
  func callAsFunction(_ input: HostTensor, profile: ExecutionProfile?) throws -> HostTensor {
    maps = [0: input]
    statistics = [:]
    defer { maps = [:] }
    for position in network.stages.indices {
      try run(position, profile)
      let stage = network.stages[position]
      let later = network.stages[(position + 1)...]
      let needed = Set(later.flatMap(\.inputs).map(\.map))
      let made = Set(stage.outputs.map(\.map))
      for map in maps.keys where !needed.contains(map) && !made.contains(map) { maps[map] = nil }
    }
    guard let result = network.stages.last?.outputs.first.flatMap({ maps[$0.map] }) else {
      preconditionFailure("the last step has a result")
    }
    return result
  }

  private func run(_ position: Int, _ profile: ExecutionProfile?) throws {
    let stage = network.stages[position]
    for output in stage.outputs where output.isStored {
      maps[output.map] =
        output.replaces.flatMap { maps[stage.inputs[$0].map] }
        ?? HostTensor(
          unwritten: .float32, shape: output.shape)
    }
    let empty = [GroupMoments](repeating: GroupMoments(), count: network.normGroups)
    var sums = stage.outputs.map { _ in empty }
    var compiled: [BandedNetwork.Key: CompiledBand] = [:]
    for band in network.bands[position] {
      if HostServices.isCancelled { throw PipelineError.cancelled }
      let key = network.key(stage, band)
      let program = try compiled[key] ?? compile(stage, band)
      compiled[key] = program
      try load(stage, band, program)
      let values = try program.executable.run(profile: profile)
      for (place, output) in stage.outputs.enumerated() {
        try store(output, place, band, program)
        guard output.isNormalised,
          let mean = values[BandedNetwork.mean(place)],
          let deviation = values[BandedNetwork.reciprocalDeviation(place)]
        else { continue }
        let count = band.count * output.shape[2] * output.shape[3] / network.normGroups
        for (group, (mean, deviation)) in zip(mean.floats(), deviation.floats()).enumerated() {
          sums[place][group].add(
            count: Double(count), mean: Double(mean), reciprocalDeviation: Double(deviation),
            epsilon: network.normEpsilon)
        }
      }
    }
    for (place, output) in stage.outputs.enumerated() where output.isNormalised {
      statistics[output.map] = sums[place]
    }
  }

  /// A band's program with the buffers of the maps that go in and out.
  private struct CompiledBand {
    let executable: Executable
    let buffers: [String: DeviceBuffer]
    /// Rows of the results before and behind those that were asked for.
    let before: [Int]
  }

  private func compile(_ stage: BandStage, _ band: Range<Int>) throws -> CompiledBand {
    let (program, rows) = try network.program(stage, band)
    var buffers: [String: DeviceBuffer] = [:]
    let statistics = [BandedNetwork.mean(nil), BandedNetwork.reciprocalDeviation(nil)]
    let bound =
      stage.inputs.indices.map(BandedNetwork.input)
      + stage.outputs.indices.map(BandedNetwork.output)
      + statistics
    for tensor in program.tensors where bound.contains(tensor.name) && tensor.aliasOf == nil {
      guard tensor.role == .input || tensor.role == .output else { continue }
      buffers[tensor.name] = try DeviceBuffer(
        device, byteCount: tensor.spec.byteCount, usage: .io)
    }
    if let map = stage.normalises, let values = self.statistics[map] {
      let channels = (network.shapes[map]?.last ?? values.count) / max(values.count, 1)
      func perChannel(_ value: (GroupMoments) -> Double) -> HostTensor {
        let all = values.flatMap { [Float](repeating: Float(value($0)), count: channels) }
        return HostTensor(all, shape: [1, all.count])
      }
      try buffers[statistics[0]]?.write(perChannel { $0.mean })
      try buffers[statistics[1]]?.write(
        perChannel { [network] in $0.reciprocalDeviation(epsilon: network.normEpsilon) })
    }
    let executable = try Executable(
      program, on: device, weights: weights, bound: buffers, arenas: arenas,
      name: "a band of \(stage.path)")
    return CompiledBand(
      executable: executable, buffers: buffers,
      before: rows.map { band.lowerBound - $0.lowerBound })
  }

  private func load(
    _ stage: BandStage, _ band: Range<Int>, _ program: CompiledBand
  ) throws(BackendError) {
    for (place, input) in stage.inputs.enumerated() {
      guard let map = maps[input.map] else { preconditionFailure("map \(input.map) is not there") }
      try program.buffers[BandedNetwork.input(place)]?.write(
        map, bytes: Self.bytes(input.rows(band), of: map.shape))
    }
  }

  private func store(
    _ output: BandStage.Output, _ place: Int, _ band: Range<Int>, _ program: CompiledBand
  ) throws(BackendError) {
    guard output.isStored, let map = maps[output.map] else { return }
    let skipped = Self.bytes(0..<program.before[place], of: map.shape).count
    try program.buffers[BandedNetwork.output(place)]?.read(
      into: map, bytes: Self.bytes(band, of: map.shape), from: skipped)
  }

  /// Where rows of a map `[1, H, W, C]` lie.
  private static func bytes(_ rows: Range<Int>, of shape: Shape) -> Range<Int> {
    let row = shape[2] * shape[3] * DType.float32.byteCount
    return rows.lowerBound * row..<rows.upperBound * row
  }
}
