import EspalierABI
import EspalierConformance
import Foundation

/// An operation that is compiled for a device, with its operands there.
final class OperationRun {
  private let graph: CompiledGraph
  private let bindings: [Binding]
  private let nodeTimes = NodeTimes()

  /// The sum of what the device reported.
  private final class NodeTimes {
    var nanoseconds: UInt64 = 0
  }

  /// - Returns: nil if the backend says that it cannot run the operation.
  /// - Throws: `BackendFailure`.
  init?(_ example: BenchmarkCase, storage: StorageType, on device: ConformanceBackend) throws {
    let graph = GraphStorage()
    var bindings: [Binding] = []
    var weights: [Binding] = []
    func add(_ tensor: BenchmarkCase.Tensor?, role: Int32) throws -> Int32 {
      guard let tensor else { return -1 }
      let isWeight = tensor.kind == .weight
      let type =
        isWeight || tensor.kind == .activation ? storage : StorageType.float32
      let index = graph.tensor(
        tensor.shape, storage: type, role: isWeight ? ESP_ROLE_WEIGHT : role)
      let memory = try device.memory(
        byteCount: tensor.shape.reduce(type.byteCount, *),
        usage: isWeight ? ESP_USAGE_WEIGHT : ESP_USAGE_IO)
      if role == ESP_ROLE_INPUT { try Self.fill(memory, tensor.kind, as: type) }
      if isWeight {
        weights.append(Binding(index, memory))
      } else {
        bindings.append(Binding(index, memory))
      }
      return index
    }
    let inputs = try example.inputs.map { try add($0, role: ESP_ROLE_INPUT) }
    let outputs = try example.outputs.map { try add($0, role: ESP_ROLE_OUTPUT) }
    graph.node(
      example.code.rawValue, inputs, outputs, integers: example.integers, floats: example.floats)
    let analysis = try device.analyze(graph)
    guard analysis.isSupported[0] else { return nil }
    var workspaces: [Int: Placement] = [:]
    let scratch = analysis.workspaceBytes[0]
    if scratch > 0 {
      workspaces[0] = Placement(
        arena: try device.memory(byteCount: scratch, usage: ESP_USAGE_ARENA), offset: 0,
        bytes: scratch)
    }
    self.graph = try device.compile(
      graph, placements: [:], workspaces: workspaces, weights: weights)
    self.bindings = bindings
  }

  /// Runs once and waits.
  ///
  /// - Throws: `BackendFailure`.
  func execute() throws { try graph.execute(bindings) }

  /// Runs once and waits.
  ///
  /// - Returns: Seconds that the device was at it, by its own clock.
  /// - Throws: `BackendFailure`, also if the device takes no timestamps.
  func deviceSeconds() throws -> Double {
    nodeTimes.nanoseconds = 0
    var options = esp_run_options()
    options.struct_size = UInt32(MemoryLayout<esp_run_options>.size)
    options.context = Unmanaged.passUnretained(nodeTimes).toOpaque()
    options.node_timed = { context, _, begin, end in
      guard let context else { return }
      Unmanaged<NodeTimes>.fromOpaque(context)._withUnsafeGuaranteedRef {
        $0.nanoseconds += end - begin
      }
    }
    try graph.execute(bindings, options: options)
    return Double(nodeTimes.nanoseconds) / 1e9
  }

  /// Numbers of −1 to 1 that repeat after a while, or one number.
  private static func fill(
    _ memory: DeviceMemory, _ kind: BenchmarkCase.Tensor.Kind, as storage: StorageType
  ) throws {
    let count = min(memory.count / storage.byteCount, 65521)
    let values =
      if case .statistic(let value) = kind {
        [Float](repeating: Float(value), count: count)
      } else {
        (0..<count).map { Float(sin(12.9898 * Double($0 + 1))) }
      }
    let bytes = Operand.encode(values, as: storage)
    for start in stride(from: 0, to: memory.count, by: bytes.count) {
      try memory.write(Array(bytes.prefix(memory.count - start)), at: start)
    }
  }
}
