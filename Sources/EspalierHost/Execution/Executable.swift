import EspalierABI
public import EspalierGraph
public import EspalierTensors

/// A program compiled for a device. No device memory is allocated after `init`.
public final class Executable {
  public let program: GraphProgram
  public let plan: MemoryPlan
  private let device: ComputeDevice
  private let weights: DeviceWeights?
  private let handle: OpaquePointer
  private let arenas: [DeviceBuffer]
  /// By node: the copies of weights that are kept.
  private let copies: [(node: Int, buffer: DeviceBuffer)]
  /// The buffers of inputs, states and outputs, by name.
  private var buffers: [String: DeviceBuffer] = [:]
  private var bindings: [esp_binding] = []
  /// Outputs that the executable owns, and so reads back.
  private var ownOutputs: [(name: String, spec: TensorSpec)] = []
  private var inputs: [String: TensorSpec] = [:]

  /// Analyzes, plans and compiles.
  ///
  /// - Parameters:
  ///   - weights: Where the frozen weights come from; `nil` if the program has none.
  ///   - bound: Buffers of states, and of inputs and outputs shared with other executables, by name. All
  ///     states must be here.
  ///   - arenas: Memory for temporaries to share with other executables of the device.
  ///   - kept: Which copies of its weights to keep, of those that `plan` gives.
  ///   - name: What the program is, for messages.
  /// - Throws: `BackendError`, or what the source of weights throws. What does not fit the device's memory is refused
  ///   before anything is uploaded.
  public init(
    _ program: GraphProgram, on device: ComputeDevice, weights: DeviceWeights? = nil,
    bound: [String: DeviceBuffer] = [:], arenas pool: ArenaPool? = nil,
    keeping kept: KeptCopies = KeptCopies(), name: String = "this part of the run"
  ) throws {
    self.program = program
    self.device = device
    self.weights = weights
    let layout = try ExecutionLayout(program, on: device, weights: weights)
    plan = layout.plan
    try device.check(
      layout.need(bound: { bound[$0] != nil }, arenas: pool, keeping: kept), for: name)
    arenas = try (pool ?? ArenaPool(device)).take(plan.arenaBytes)
    let wanted = layout.weights.map {
      (path: $0.path, shape: program.tensors[$0.tensor].spec.shape)
    }
    let buffers = try weights?.weights(wanted) ?? []
    copies = try layout.copies.filter { kept.contains($0.copy) }.compactMap { node, copy in
      try weights.map { (node, try $0.copy(copy)) }
    }
    handle = try Self.compile(device, layout, arenas, buffers, copies)
    try bind(bound)
  }

  /// What a program would take on a device, found without taking any of it.
  ///
  /// - Parameters:
  ///   - weights: Where its frozen weights come from; those on the device already count for nothing.
  ///   - bound: The inputs, states and outputs whose buffers are not to be counted, by name.
  /// - Throws: `BackendError` if the device cannot run it or a tensor is too large for it, or what the source of
  ///   weights throws.
  public static func plan(
    of program: GraphProgram, on device: ComputeDevice, weights: DeviceWeights? = nil,
    bound: Set<String> = []
  ) throws -> ProgramPlan {
    let layout = try ExecutionLayout(program, on: device, weights: weights)
    return ProgramPlan(
      program: program, need: layout.need(bound: bound.contains, arenas: nil),
      arenaBytes: layout.plan.arenaBytes, copies: layout.copies.map(\.copy))
  }

  deinit { device.api.pointee.executable_destroy(handle) }

  /// Bytes of temporaries at the peak of a run.
  public var arenaByteCount: Int { plan.arenaBytes.reduce(0, +) }

  /// Runs the program and reads back the outputs that are not bound to a shared buffer.
  ///
  /// - Parameter values: Every input that is not bound, with the declared shape and type.
  /// - Throws: `BackendError`.
  @discardableResult
  public func run(
    _ values: [String: HostTensor] = [:], profile: ExecutionProfile? = nil
  ) throws(BackendError) -> [String: HostTensor] {
    for (name, spec) in inputs {
      guard let value = values[name] else {
        throw .binding(name: name, expected: "\(spec)", found: "missing")
      }
      guard value.shape == spec.shape, value.dtype == spec.dtype else {
        throw .binding(
          name: name, expected: "\(spec)", found: "\(value.dtype.rawValue)\(value.shape)")
      }
      try buffers[name]?.write(value)
    }
    try execute(profile)
    var results: [String: HostTensor] = [:]
    for (name, spec) in ownOutputs {
      results[name] = try buffers[name]?.read(spec.shape, dtype: spec.dtype)
    }
    return results
  }

  private func execute(_ profile: ExecutionProfile?) throws(BackendError) {
    profile?.begin(program)
    var options = esp_run_options()
    options.struct_size = UInt32(MemoryLayout<esp_run_options>.size)
    if let profile {
      options.context = Unmanaged.passUnretained(profile).toOpaque()
      options.node_timed = { context, node, begin, end in
        guard let context else { return }
        Unmanaged<ExecutionProfile>.fromOpaque(context)._withUnsafeGuaranteedRef {
          $0.record(node: Int(node), begin: begin, end: end)
        }
      }
    }
    do throws(CallFailure) {
      try callPlugin { error in
        bindings.withUnsafeBufferPointer {
          device.api.pointee.execute(handle, $0.baseAddress, $0.count, &options, error)
        }
      }
    } catch {
      throw Self.failure(error, program, device)
    }
  }

  private func bind(_ bound: [String: DeviceBuffer]) throws(BackendError) {
    for (index, tensor) in program.tensors.enumerated() where tensor.aliasOf == nil {
      let bytes = tensor.spec.byteCount
      switch tensor.role {
      case .temporary, .weight: continue
      case .input, .output, .state:
        if let buffer = bound[tensor.name] {
          guard buffer.byteCount >= bytes else {
            throw .binding(
              name: tensor.name, expected: "\(bytes) bytes", found: "\(buffer.byteCount) bytes")
          }
          buffers[tensor.name] = buffer
        } else if tensor.role == .state {
          throw .binding(name: tensor.name, expected: "a state", found: "none")
        } else {
          buffers[tensor.name] = try DeviceBuffer(device, byteCount: bytes, usage: .io)
          if tensor.role == .input { inputs[tensor.name] = tensor.spec }
          if tensor.role == .output { ownOutputs.append((tensor.name, tensor.spec)) }
        }
      }
      if let buffer = buffers[tensor.name] {
        bindings.append(
          esp_binding(tensor: Int32(index), reserved: 0, buffer: buffer.handle, offset: 0))
      }
    }
  }

  private static func compile(
    _ device: ComputeDevice, _ layout: ExecutionLayout, _ arenas: [DeviceBuffer],
    _ weights: [DeviceBuffer], _ copies: [(node: Int, buffer: DeviceBuffer)]
  ) throws(BackendError) -> OpaquePointer {
    let (graph, plan, program) = (layout.graph, layout.plan, layout.program)
    let weights = zip(layout.weights, weights).map { weight, buffer in
      esp_binding(tensor: Int32(weight.tensor), reserved: 0, buffer: buffer.handle, offset: 0)
    }
    let tensors = zip(plan.tensors, program.tensors).map { placement, tensor in
      placement.map(boundaryPlacement)
        ?? esp_placement(
          arena: tensor.role == .temporary ? ESP_PLACE_VANISHED : ESP_PLACE_BOUND, reserved: 0,
          offset: 0, bytes: 0)
    }
    let workspaces = plan.workspaces.map { placement in
      placement.map(boundaryPlacement)
        ?? esp_placement(arena: ESP_PLACE_BOUND, reserved: 0, offset: 0, bytes: 0)
    }
    let handles = arenas.map { Optional($0.handle) }
    let copies = copies.map { node, buffer in
      esp_copy(
        node: Int32(node), reserved: 0, buffer: buffer.handle, offset: 0,
        bytes: UInt64(buffer.byteCount))
    }
    var out: OpaquePointer?
    do throws(CallFailure) {
      try callPlugin { error in
        handles.withUnsafeBufferPointer { handles in
          tensors.withUnsafeBufferPointer { tensors in
            workspaces.withUnsafeBufferPointer { workspaces in
              weights.withUnsafeBufferPointer { weights in
                copies.withUnsafeBufferPointer { copies in
                  var description = graph.graph
                  var table = esp_memory_plan(
                    struct_size: UInt32(MemoryLayout<esp_memory_plan>.size),
                    arena_count: UInt32(handles.count), arenas: handles.baseAddress,
                    tensors: tensors.baseAddress, workspaces: workspaces.baseAddress,
                    weights: weights.baseAddress, weight_count: UInt32(weights.count), reserved: 0,
                    copies: copies.baseAddress, copy_count: copies.count)
                  return device.api.pointee.graph_compile(
                    device.handle, &description, &table, &out, error)
                }
              }
            }
          }
        }
      }
    } catch {
      throw failure(error, program, device)
    }
    guard let out else {
      throw .invalidAnswer(
        backend: device.backendName, operation: "graph_compile", detail: "no executable")
    }
    return out
  }

  private static func boundaryPlacement(_ placement: MemoryPlan.Placement) -> esp_placement {
    esp_placement(
      arena: Int32(placement.arena), reserved: 0, offset: UInt64(placement.offset),
      bytes: UInt64(placement.bytes))
  }

  /// Names the layer where the backend named a node.
  private static func failure(
    _ failure: CallFailure, _ program: GraphProgram, _ device: ComputeDevice
  ) -> BackendError {
    if let node = failure.node, program.nodes.indices.contains(node) {
      let found = program.nodes[node]
      return .node(path: found.path, operation: "\(found.code)", failure: failure)
    }
    return .failed(backend: device.backendName, operation: "run the graph", failure)
  }
}
