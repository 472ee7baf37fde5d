import EspalierABI
import EspalierGraph
import EspalierTensors

/// A program with its memory plan for a device; nothing is allocated or uploaded yet.
struct ExecutionLayout {
  let program: GraphProgram
  let graph: BoundaryGraph
  let plan: MemoryPlan
  /// The weights by tensor index, in order.
  let weights: [(tensor: Int, path: String)]
  /// What the backend offers to keep, by node.
  let copies: [(node: Int, copy: WeightCopy)]
  /// Bytes of the weights that are not on the device yet, and of those that are used in their files.
  private let missingWeightBytes: Int
  private let mappedWeightBytes: Int
  private let device: ComputeDevice
  private let source: DeviceWeights?

  /// - Throws: `BackendError.unsupported`, `.tooLarge`, or what the source of weights throws.
  init(_ program: GraphProgram, on device: ComputeDevice, weights source: DeviceWeights?) throws {
    self.program = program
    self.device = device
    self.source = source
    var types: [Int: DType] = [:]
    var (missing, mapped) = (0, 0)
    weights = program.tensors(.weight).map { (tensor: $0.value, path: $0.key) }
      .sorted { $0.tensor < $1.tensor }
    for (tensor, path) in weights {
      guard let source else {
        throw BackendError.binding(name: path, expected: "a weight", found: "none")
      }
      let weight = try source.placement(of: path, program.tensors[tensor].spec.shape)
      types[tensor] = weight.dtype
      missing += weight.missingByteCount
      mapped += weight.mappedByteCount
    }
    missingWeightBytes = missing
    mappedWeightBytes = mapped
    graph = BoundaryGraph(program, weightTypes: types)
    let (plan, offers) = try ExecutionPlanner(device: device, program: program, graph: graph).plan()
    self.plan = plan
    copies = try Self.copies(offers, of: weights, device)
    try checkSizes(types)
  }

  /// - Throws: `BackendError.invalidAnswer` for a copy of what is no weight.
  private static func copies(
    _ offers: [esp_copy_offer], of weights: [(tensor: Int, path: String)], _ device: ComputeDevice
  ) throws(BackendError) -> [(node: Int, copy: WeightCopy)] {
    let paths = Dictionary(uniqueKeysWithValues: weights.map { ($0.tensor, $0.path) })
    var copies: [(node: Int, copy: WeightCopy)] = []
    for (node, offer) in offers.enumerated() where offer.bytes > 0 {
      guard let path = paths[Int(offer.tensor)] else {
        throw .invalidAnswer(
          backend: device.backendName, operation: "graph_analyze",
          detail: "a copy of tensor \(offer.tensor), which is no weight")
      }
      let bytes = Int(clamping: offer.bytes)
      guard bytes <= device.info.maxBufferByteCount else { continue }
      copies.append(
        (
          node,
          WeightCopy(
            path: path, form: offer.form, byteCount: bytes, saves: Double(offer.saved_ns),
            takes: Double(offer.making_ns))
        ))
    }
    return copies
  }

  /// What the program takes beyond what is there.
  ///
  /// - Parameters:
  ///   - bound: True for the inputs, states and outputs that have buffers already.
  ///   - pool: Arenas to share.
  ///   - kept: The copies of weights that it keeps.
  func need(
    bound: (String) -> Bool, arenas pool: ArenaPool?, keeping kept: KeptCopies = KeptCopies()
  ) -> MemoryNeed {
    var need = MemoryNeed()
    var counted: Set<WeightCopy.Key> = []
    for (_, copy) in copies where kept.contains(copy) && counted.insert(copy.key).inserted {
      if source?.hasCopy(copy) != true { need.packedCopies += copy.byteCount }
    }
    need.weights = missingWeightBytes
    need.mappedWeights = mappedWeightBytes
    let arenas = (pool?.missing(plan.arenaBytes) ?? plan.arenaBytes).reduce(0, +)
    need.activations = min(arenas, plan.temporaryBytes)
    need.workspace = arenas - need.activations
    for tensor in program.tensors where tensor.aliasOf == nil && !bound(tensor.name) {
      switch tensor.role {
      case .temporary, .weight: continue
      case .state: need.states += tensor.spec.byteCount
      case .input, .output: need.inputsAndOutputs += tensor.spec.byteCount
      }
    }
    return need
  }

  /// Refuses what is larger than one buffer of the device, by name.
  private func checkSizes(_ types: [Int: DType]) throws(BackendError) {
    for (index, tensor) in program.tensors.enumerated()
    where tensor.role != .temporary && tensor.aliasOf == nil {
      let spec = TensorSpec(types[index] ?? tensor.spec.dtype, tensor.spec.shape)
      try check(spec.byteCount, "the \(tensor.role.name) \(tensor.name) \(spec)")
    }
    for (index, node) in program.nodes.enumerated() {
      for case .some(let output) in node.outputs {
        guard let bytes = plan.tensors[output]?.bytes else { continue }
        try check(
          bytes, "the result of \(node.code) in \(node.path), \(program.tensors[output].spec),")
      }
      try check(plan.workspaces[index]?.bytes ?? 0, "the scratch of \(node.code) in \(node.path)")
    }
  }

  private func check(
    _ bytes: Int, _ what: @autoclosure () -> String
  ) throws(BackendError) {
    let limit = device.info.maxBufferByteCount
    guard bytes > limit else { return }
    throw .tooLarge(
      device: device.info.name, what: what(), byteCount: bytes, limitBytes: limit)
  }
}

extension TensorRole {
  /// In words.
  fileprivate var name: String {
    switch self {
    case .input: "input"
    case .weight: "weight"
    case .state: "state"
    case .temporary: "temporary"
    case .output: "output"
    }
  }
}
