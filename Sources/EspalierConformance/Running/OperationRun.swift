import EspalierABI

/// What came of running one operation.
public struct OperationOutcome: Sendable {
  /// The bits of every output; nil where not wanted.
  public let bytes: [[UInt8]?]
  /// What those bits stand for.
  public let outputs: [[Float]?]
  /// What else went wrong: other bits in a second run, writes outside the outputs.
  public let faults: [String]
  /// Seconds of the fastest execution.
  public let seconds: Double
}

extension ConformanceBackend {
  /// Runs one operation on poisoned memory, twice or more.
  ///
  /// - Parameter timedSeconds: Repeats the execution for about this long, to time it.
  /// - Returns: nil if the backend says that it cannot run the operation.
  /// - Throws: `BackendFailure`.
  public func run(_ call: OperationCall, timedSeconds: Double = 0) throws -> OperationOutcome? {
    guard let run = try OperationRun(self, call) else { return nil }
    let first = try run.execute()
    let second = try run.execute()
    var faults = run.faults()
    if first != second { faults.append("a second run on the same inputs gives other bits") }
    if run.offersCopy, let kept = try OperationRun(self, call, keepsCopy: true) {
      if try kept.execute() != first { faults.append("a kept copy of the weight gives other bits") }
      faults += kept.faults().map { $0 + ", with a kept copy of the weight" }
    }
    try run.time(forSeconds: timedSeconds)
    return OperationOutcome(
      bytes: first,
      outputs: zip(first, call.outputs).map { bytes, output in
        guard let bytes, let output else { return nil }
        return Operand.decode(bytes, as: output.storage)
      }, faults: faults, seconds: run.seconds)
  }

  /// Bytes of the copy of its weight that the backend offers to keep for the operation; 0: none.
  public func copyByteCount(_ call: OperationCall) throws -> UInt64 {
    try analyze(OperationGraph(call).storage).copies[0].bytes
  }

  /// True if the backend says that it can run the operation.
  public func supports(_ call: OperationCall) throws -> Bool {
    try analyze(OperationGraph(call).storage).isSupported[0]
  }
}

/// A graph of one node.
struct OperationGraph {
  let storage = GraphStorage()
  let inputs: [Int32]
  let outputs: [Int32]

  init(_ call: OperationCall) {
    let storage = storage
    inputs = call.inputs.map { operand in
      guard let operand else { return -1 }
      return storage.tensor(operand.shape, storage: operand.storage, role: operand.role.code)
    }
    let inputs = inputs
    outputs = call.outputs.enumerated().map { index, output in
      guard let output else { return -1 }
      return storage.tensor(
        output.shape, storage: output.storage, role: ESP_ROLE_OUTPUT,
        aliasOf: call.states[index].map { inputs[$0] } ?? -1)
    }
    storage.node(
      call.operation.rawValue, inputs, outputs, integers: call.integers, floats: call.floats)
  }
}

extension Operand.Role {
  /// `ESP_ROLE_…`.
  var code: Int32 {
    switch self {
    case .input: ESP_ROLE_INPUT
    case .weight: ESP_ROLE_WEIGHT
    case .state: ESP_ROLE_STATE
    }
  }

  /// `ESP_USAGE_…` of its buffer.
  var usage: Int32 {
    switch self {
    case .input: ESP_USAGE_IO
    case .weight: ESP_USAGE_WEIGHT
    case .state: ESP_USAGE_STATE
    }
  }
}

/// One compiled operation with its buffers.
private final class OperationRun {
  private let backend: ConformanceBackend
  private let call: OperationCall
  private let graph: OperationGraph
  private let executable: CompiledGraph
  /// By tensor: its buffer; absent for an alias.
  private let memory: [Int32: DeviceMemory]
  private let arena: DeviceMemory
  private var bindings: [Binding] = []
  private(set) var seconds = Double.infinity
  /// True if a copy of the weight would help the operation.
  let offersCopy: Bool
  /// Where that is kept, between guard bands.
  private let copy: DeviceMemory?
  /// As f32, f16 or bf16 it is a NaN.
  private static let poison: UInt8 = 0xff

  /// - Parameter keepsCopy: Keeps the copy of the weight that the backend offered.
  /// - Returns: nil if the backend does not support the operation.
  init?(_ backend: ConformanceBackend, _ call: OperationCall, keepsCopy: Bool = false) throws {
    self.backend = backend
    self.call = call
    graph = OperationGraph(call)
    let analysis = try backend.analyze(graph.storage)
    guard analysis.isSupported[0] else { return nil }
    let edge = backend.guardBytes
    let scratch = analysis.workspaceBytes[0]
    arena = try backend.arena([UInt8](repeating: Self.poison, count: scratch + 2 * edge))
    var memory: [Int32: DeviceMemory] = [:]
    var weights: [Binding] = []
    for (tensor, operand) in zip(graph.inputs, call.inputs) {
      guard let operand else { continue }
      memory[tensor] = try backend.memory(
        Self.guarded(operand.bytes, by: edge), usage: operand.role.usage)
    }
    for (tensor, output) in zip(graph.outputs, call.outputs) {
      guard let output, graph.storage.aliases[Int(tensor)] < 0 else { continue }
      memory[tensor] = try backend.memory(
        [UInt8](repeating: Self.poison, count: output.byteCount + 2 * edge))
    }
    for (tensor, buffer) in memory {
      let binding = Binding(tensor, buffer, at: edge)
      if graph.storage.roles[Int(tensor)] == ESP_ROLE_WEIGHT {
        weights.append(binding)
      } else {
        bindings.append(binding)
      }
    }
    self.memory = memory
    let copyBytes = Int(analysis.copies[0].bytes)
    offersCopy = copyBytes > 0
    copy =
      keepsCopy && offersCopy
      ? try backend.arena([UInt8](repeating: Self.poison, count: copyBytes + 2 * edge)) : nil
    executable = try backend.compile(
      graph.storage, placements: [:],
      workspaces: scratch == 0 ? [:] : [0: Placement(arena: arena, offset: edge, bytes: scratch)],
      weights: weights,
      copies: copy.map { [0: Placement(arena: $0, offset: edge, bytes: copyBytes)] } ?? [:])
  }

  private static func guarded(_ bytes: [UInt8], by edge: Int) -> [UInt8] {
    let band = [UInt8](repeating: poison, count: edge)
    return band + bytes + band
  }

  /// Writes all inputs but the weights, which are constant, and poisons outputs and scratch.
  private func fill() throws {
    try arena.write([UInt8](repeating: Self.poison, count: arena.count))
    for (tensor, buffer) in memory where graph.outputs.contains(tensor) {
      try buffer.write([UInt8](repeating: Self.poison, count: buffer.count))
    }
    for (tensor, operand) in zip(graph.inputs, call.inputs) {
      guard let operand, operand.role != .weight else { continue }
      try memory[tensor]?.write(Self.guarded(operand.bytes, by: backend.guardBytes))
    }
  }

  /// The bytes of every output after a run on fresh memory.
  func execute() throws -> [[UInt8]?] {
    try fill()
    try executeTimed()
    let edge = backend.guardBytes
    return try zip(graph.outputs, call.outputs).map { tensor, output in
      guard let output else { return nil }
      let root = graph.storage.aliases[Int(tensor)]
      return try memory[root < 0 ? tensor : root]?.read(edge..<edge + output.byteCount)
    }
  }

  private func executeTimed() throws {
    let clock = ContinuousClock()
    let duration = try clock.measure { try executable.execute(bindings) }
    let (whole, atto) = duration.components
    seconds = min(seconds, Double(whole) + Double(atto) * 1e-18)
  }

  /// Repeats the execution for about this long.
  func time(forSeconds limit: Double) throws {
    let runs = seconds > 0 ? min(Int(limit / seconds), 100) : 0
    for _ in 0..<max(runs, 0) { try executeTimed() }
  }

  /// Writes beside the operands or the scratch, or into an input.
  func faults() -> [String] {
    let edge = backend.guardBytes
    var faults: [String] = []
    func check(_ buffer: DeviceMemory, _ what: String, holds operand: Operand?) {
      // A backend may keep weights packed and arenas out of the host's reach.
      guard let bytes = try? buffer.read(0..<buffer.count) else { return }
      if !(bytes.prefix(edge) + bytes.suffix(edge)).allSatisfy({ $0 == Self.poison }) {
        faults.append("wrote beside \(what)")
      }
      if let operand, Array(bytes[edge..<bytes.count - edge]) != operand.bytes {
        faults.append("wrote into \(what)")
      }
    }
    for (index, (tensor, operand)) in zip(graph.inputs, call.inputs).enumerated() {
      guard let operand, let buffer = memory[tensor] else { continue }
      check(
        buffer, "input \(index)", holds: call.states.values.contains(index) ? nil : operand)
    }
    for (index, tensor) in graph.outputs.enumerated() {
      guard let buffer = memory[tensor] else { continue }
      check(buffer, "output \(index)", holds: nil)
    }
    check(arena, "the workspace", holds: nil)
    if let copy { check(copy, "the kept copy", holds: nil) }
    return faults
  }
}
