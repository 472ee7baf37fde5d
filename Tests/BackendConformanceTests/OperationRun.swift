import EspalierABI
import Testing

/// Bytes before and after every operand that nobody may touch; keeps any device's alignment.
private let guardBytes = 256
/// Fills operands and scratch before a run: as f32, f16 or bf16 it is a NaN.
private let poison: UInt8 = 0xff

extension BackendUnderTest {
  /// Runs one operation and gives its outputs, nil where not wanted.
  ///
  /// Runs it twice on poisoned memory; expects the same bits and untouched guard bands.
  func run(
    _ operation: OperationCase, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> [[Double]?] {
    let run = try OperationRun(self, operation)
    let first = try run.execute()
    let second = try run.execute()
    #expect(first == second, "a second run gives other bits", sourceLocation: sourceLocation)
    try run.expectGuards(sourceLocation)
    return first.map { $0.map { Operand.decode($0, as: operation.outputStorage) } }
  }

  /// The analysis of one operation: true if the backend can run it.
  func supports(_ operation: OperationCase) throws -> Bool {
    try analyze(OperationRun.graph(of: operation).storage).isSupported[0]
  }
}

/// One compiled operation with its buffers.
private final class OperationRun {
  private let backend: BackendUnderTest
  private let operation: OperationCase
  private var executable: TestExecutable?
  /// By tensor: its buffer; absent for an alias.
  private var buffers: [Int32: TestBuffer] = [:]
  private let inputs: [Int32]
  private let outputs: [Int32]
  private let arena: TestBuffer
  private let storage: GraphStorage

  static func graph(
    of operation: OperationCase
  ) -> (storage: GraphStorage, inputs: [Int32], outputs: [Int32]) {
    let storage = GraphStorage()
    let stateInputs = Set(operation.states.values)
    let inputs = operation.inputs.enumerated().map { index, operand -> Int32 in
      guard let operand else { return -1 }
      let role =
        operand.isWeight
        ? ESP_ROLE_WEIGHT : stateInputs.contains(index) ? ESP_ROLE_STATE : ESP_ROLE_INPUT
      return storage.tensor(operand.shape, storage: operand.storage, role: role)
    }
    let outputs = operation.outputs.enumerated().map { index, shape -> Int32 in
      guard let shape else { return -1 }
      return storage.tensor(
        shape, storage: operation.outputStorage, role: ESP_ROLE_OUTPUT,
        aliasOf: operation.states[index].map { inputs[$0] } ?? -1)
    }
    storage.node(
      operation.code, inputs, outputs, integers: operation.integers, floats: operation.floats)
    return (storage, inputs, outputs)
  }

  init(_ backend: BackendUnderTest, _ operation: OperationCase) throws {
    self.backend = backend
    self.operation = operation
    (storage, inputs, outputs) = Self.graph(of: operation)
    let analysis = try backend.analyze(storage)
    try #require(analysis.isSupported[0], "\(backend.name) does not support the case")
    let scratch = analysis.workspaceBytes[0]
    arena = try backend.buffer(
      [UInt8](repeating: poison, count: scratch + 2 * guardBytes), usage: ESP_USAGE_ARENA)
    for tensor in Set(inputs + outputs) where tensor >= 0 && storage.aliases[Int(tensor)] < 0 {
      let bytes = storage.byteCounts[Int(tensor)] + 2 * guardBytes
      buffers[tensor] = try backend.buffer([UInt8](repeating: poison, count: bytes))
    }
    try fill()
    let placement = TestPlacement(arena: arena, offset: guardBytes, bytes: scratch)
    executable = try backend.compile(
      storage, placements: [:], workspaces: scratch == 0 ? [:] : [0: placement],
      weights: bindings { $0 == ESP_ROLE_WEIGHT })
  }

  /// Writes all inputs and poisons everything else.
  private func fill() throws {
    try arena.write([UInt8](repeating: poison, count: arena.count))
    for buffer in buffers.values {
      try buffer.write([UInt8](repeating: poison, count: buffer.count))
    }
    for (tensor, operand) in zip(inputs, operation.inputs) {
      if let operand { try buffers[tensor]?.write(operand.bytes, at: guardBytes) }
    }
  }

  private func bindings(where isWanted: (Int32) -> Bool) -> [TestBinding] {
    buffers.filter { isWanted(storage.roles[Int($0.key)]) }.map { tensor, buffer in
      binding(tensor, buffer, at: guardBytes)
    }
  }

  /// The bytes of every output.
  func execute() throws -> [[UInt8]?] {
    try fill()
    try #require(executable).execute(bindings { $0 != ESP_ROLE_WEIGHT })
    return try outputs.map { output in
      guard output >= 0 else { return nil }
      let root = storage.aliases[Int(output)] < 0 ? output : storage.aliases[Int(output)]
      let bytes = storage.byteCounts[Int(output)]
      return try #require(buffers[root]).read(guardBytes..<guardBytes + bytes)
    }
  }

  /// Expects that nothing was written beside the operands and the scratch, nor into an input.
  func expectGuards(_ sourceLocation: SourceLocation) throws {
    for buffer in Array(buffers.values) + [arena] {
      let before = try buffer.read(0..<guardBytes)
      let after = try buffer.read(buffer.count - guardBytes..<buffer.count)
      #expect(
        (before + after).allSatisfy { $0 == poison }, "wrote beside an operand or its scratch",
        sourceLocation: sourceLocation)
    }
    for (index, operand) in operation.inputs.enumerated() {
      guard let operand, !operation.states.values.contains(index) else { continue }
      let bytes = try buffers[inputs[index]]?.read(guardBytes..<guardBytes + operand.bytes.count)
      #expect(bytes == operand.bytes, "wrote into input \(index)", sourceLocation: sourceLocation)
    }
  }
}
