import EspalierABI
import EspalierConformance
import Testing

extension EveryBackend {
  @Suite struct BoundaryTests {
    /// x → 2x + 1 → silu, a temporary between; the graph and its tensors.
    private func chain() -> (storage: GraphStorage, x: Int32, middle: Int32, y: Int32) {
      let storage = GraphStorage()
      let x = storage.tensor([3, 5], role: ESP_ROLE_INPUT)
      let middle = storage.tensor([3, 5], role: ESP_ROLE_TEMP)
      let y = storage.tensor([3, 5], role: ESP_ROLE_OUTPUT)
      storage.node(ESP_OP_SCALE, [x], [middle], floats: [2, 1])
      storage.node(ESP_OP_UNARY, [middle], [y], integers: [Int64(ESP_ACT_SILU)])
      return (storage, x, middle, y)
    }

    @Test(arguments: BackendUnderTest.all)
    func `a device names itself and its types`(subject: BackendUnderTest) throws {
      let backend = subject.backend
      var count: UInt32 = 0
      try checked { backend.api.device_count(&count, $0) }
      #expect(count >= 1)
      var info = esp_device_info()
      info.struct_size = UInt32(MemoryLayout<esp_device_info>.size)
      try checked { backend.api.device_info(0, &info, $0) }
      #expect(info.name.0 != 0)
      #expect(info.alignment.nonzeroBitCount == 1)
      #expect(info.activation_dtypes & (1 << UInt32(ESP_DTYPE_F32)) != 0)
      #expect(info.weight_dtypes & (1 << UInt32(ESP_DTYPE_F16)) != 0)
      #expect(failure { try checked { backend.api.device_info(count, &info, $0) } } != nil)
    }

    @Test(arguments: BackendUnderTest.all)
    func `a temporary in a poisoned arena carries a value, and nodes are timed`(
      subject: BackendUnderTest
    ) throws {
      let backend = subject.backend
      let (storage, x, middle, y) = chain()
      let input = Operand.random([3, 5], seed: 1)
      let arena = try backend.memory(
        [UInt8](repeating: 0xff, count: 512), usage: ESP_USAGE_ARENA)
      let source = try backend.memory(input.bytes)
      let target = try backend.memory([UInt8](repeating: 0xff, count: input.bytes.count))
      let executable = try backend.compile(
        storage, placements: [middle: Placement(arena: arena, offset: 256, bytes: 60)],
        workspaces: [:], weights: [])
      let profile = Profile()
      var options = esp_run_options()
      options.struct_size = UInt32(MemoryLayout<esp_run_options>.size)
      options.context = Unmanaged.passUnretained(profile).toOpaque()
      options.node_timed = { context, node, begin, end in
        guard let context else { return }
        Unmanaged<Profile>.fromOpaque(context).takeUnretainedValue().add(node, begin, end)
      }
      try executable.execute([Binding(x, source), Binding(y, target)], options: options)
      let found = Operand.decode(try target.read(0..<60), as: .float32)
      expectClose(
        found, input.values.map { Activation.value(ESP_ACT_SILU, 2 * Double($0) + 1) })
      #expect(profile.nodes == [0, 1])
      #expect(profile.isOrdered)
    }

    @Test(arguments: BackendUnderTest.all)
    func `a weight that a file left unaligned gives the same result`(
      subject: BackendUnderTest
    ) throws {
      let backend = subject.backend
      guard let importBuffer = backend.api.buffer_import else { return }
      for storage in [StorageType.float32, .float16, .bfloat16] {
        let a = Operand.random([4, 6], seed: 1)
        let b = Operand.random([6], seed: 2, storage: storage, role: .weight)
        let graph = GraphStorage()
        let inputs = [
          graph.tensor([4, 6], role: ESP_ROLE_INPUT),
          graph.tensor([6], storage: storage, role: ESP_ROLE_WEIGHT),
        ]
        let y = graph.tensor([4, 6], role: ESP_ROLE_OUTPUT)
        graph.node(ESP_OP_ADD, inputs, [y], integers: [0])
        let scratch = try backend.analyze(graph).workspaceBytes[0]
        let arena = try backend.memory(
          [UInt8](repeating: 0xff, count: scratch + 256), usage: ESP_USAGE_ARENA)
        let file = [0, 1, 2] + b.bytes
        try file.withUnsafeBytes { bytes in
          var handle: OpaquePointer?
          let base = try #require(bytes.baseAddress)
          try checked {
            importBuffer(backend.device, base, UInt64(bytes.count), ESP_USAGE_WEIGHT, &handle, $0)
          }
          let weights = DeviceMemory(
            api: backend.api, handle: try #require(handle), count: bytes.count)
          let executable = try backend.compile(
            graph, placements: [:],
            workspaces: scratch == 0
              ? [:] : [0: Placement(arena: arena, offset: 0, bytes: scratch)],
            weights: [Binding(inputs[1], weights, at: 3)])
          let source = try backend.memory(a.bytes)
          let target = try backend.memory([UInt8](repeating: 0xff, count: 96))
          try executable.execute([Binding(inputs[0], source), Binding(y, target)])
          let expected = a.values.indices.map { Double(a.values[$0]) + Double(b.values[$0 % 6]) }
          expectClose(
            Operand.decode(try target.read(0..<96), as: .float32), expected)
        }
      }
    }

    @Test(arguments: BackendUnderTest.all)
    func `a graph that makes no sense is refused`(subject: BackendUnderTest) throws {
      let backend = subject.backend
      let faults: [(String, (GraphStorage, Int32, Int32) -> Void)] = [
        ("an input outside", { graph, _, y in graph.node(ESP_OP_SCALE, [99], [y]) }),
        ("an output outside", { graph, x, _ in graph.node(ESP_OP_SCALE, [x], [99]) }),
        ("a negative input", { graph, _, y in graph.node(ESP_OP_SCALE, [-5], [y]) }),
        ("a read before the write", { graph, _, y in graph.node(ESP_OP_SCALE, [y], [y]) }),
        (
          "two writes",
          { graph, x, y in
            graph.node(ESP_OP_SCALE, [x], [y])
            graph.node(ESP_OP_SCALE, [x], [y])
          }
        ),
        ("a size of zero", { graph, _, _ in graph.tensor([3, 0], role: ESP_ROLE_INPUT) }),
        ("a negative size", { graph, _, _ in graph.tensor([-3], role: ESP_ROLE_INPUT) }),
        (
          "a size that overflows",
          { graph, _, _ in graph.tensor([1 << 31, 1 << 31], role: ESP_ROLE_INPUT) }
        ),
        ("too many axes", { graph, _, _ in graph.tensor([1, 1, 1, 1, 1, 1, 1], role: 0) }),
        ("an unknown role", { graph, _, _ in graph.tensor([1], role: 9) }),
        ("an alias of nothing", { graph, _, _ in graph.tensor([1], role: 4, aliasOf: 77) }),
        ("an alias of itself", { graph, _, _ in graph.tensor([1], role: 4, aliasOf: 2) }),
      ]
      for (name, fault) in faults {
        let storage = GraphStorage()
        let x = storage.tensor([2], role: ESP_ROLE_INPUT)
        let y = storage.tensor([2], role: ESP_ROLE_OUTPUT)
        fault(storage, x, y)
        let error = failure { _ = try backend.analyze(storage) }
        #expect(error?.code == ESP_INVALID_ARGUMENT, "\(name)")
        #expect(error?.message.isEmpty == false)
      }
    }

    @Test(arguments: BackendUnderTest.all)
    func `an unknown operation is unsupported, and compiling it names the layer`(
      subject: BackendUnderTest
    ) throws {
      let backend = subject.backend
      let storage = GraphStorage()
      let x = storage.tensor([2], role: ESP_ROLE_INPUT)
      let y = storage.tensor([2], role: ESP_ROLE_OUTPUT)
      storage.node(9999, [x], [y])
      #expect(try backend.analyze(storage).isSupported == [false])
      let error = failure {
        _ = try backend.compile(storage, placements: [:], workspaces: [:], weights: [])
      }
      #expect(error?.code == ESP_UNIMPLEMENTED && error?.node == 0)
      #expect(error?.message.contains("layer.under.test") == true)
    }

    @Test(arguments: BackendUnderTest.all)
    func `a plan or binding that does not fit is refused`(subject: BackendUnderTest) throws {
      let backend = subject.backend
      let (storage, x, middle, y) = chain()
      let arena = try backend.memory([UInt8](repeating: 0, count: 512), usage: ESP_USAGE_ARENA)
      for offset in [480, 4096, 4] {
        let place = Placement(arena: arena, offset: offset, bytes: 60)
        #expect(
          failure {
            _ = try backend.compile(
              storage, placements: [middle: place], workspaces: [:], weights: [])
          } != nil, "a temporary at \(offset)")
      }
      #expect(
        failure {
          _ = try backend.compile(storage, placements: [:], workspaces: [:], weights: [])
        } != nil, "a temporary without a place")
      let executable = try backend.compile(
        storage, placements: [middle: Placement(arena: arena, offset: 0, bytes: 60)],
        workspaces: [:], weights: [])
      let large = try backend.memory([UInt8](repeating: 0, count: 64))
      let small = try backend.memory([UInt8](repeating: 0, count: 56))
      let bad = [
        [Binding(x, large)], [Binding(x, small), Binding(y, large)],
        [Binding(x, large), Binding(y, large, at: 8)],
        [Binding(x, large), Binding(y, large), Binding(77, large)],
        [Binding(x, large), Binding(y, large), Binding(middle, large)],
      ]
      for bindings in bad {
        #expect(failure { try executable.execute(bindings) }?.code == ESP_INVALID_ARGUMENT)
      }
      #expect(failure { _ = try large.read(60..<70) } != nil)
      #expect(failure { try large.write([1, 2], at: 63) } != nil)
      #expect(failure { try large.write([1], at: .max) } != nil)
    }

    @Test(arguments: BackendUnderTest.all)
    func `too much memory is an error, and what is held is counted`(
      subject: BackendUnderTest
    ) throws {
      let backend = subject.backend
      var handle: OpaquePointer?
      for bytes in [UInt64.max, UInt64.max / 2, 1 << 50] {
        let error = failure {
          try checked {
            backend.api.buffer_create(backend.device, bytes, ESP_USAGE_IO, &handle, $0)
          }
        }
        #expect(error?.code == ESP_OUT_OF_MEMORY)
      }
      guard let deviceMemory = backend.api.device_memory else { return }
      let block = try backend.memory([UInt8](repeating: 0, count: 3 << 20))
      var now: UInt64 = 0
      var peak: UInt64 = 0
      try checked { deviceMemory(backend.device, &now, &peak, $0) }
      #expect(now >= UInt64(block.count) && peak >= now)
    }

    @Test(arguments: BackendUnderTest.all)
    func `a stop request ends an execution`(subject: BackendUnderTest) throws {
      let backend = subject.backend
      let (storage, x, middle, y) = chain()
      let arena = try backend.memory([UInt8](repeating: 0, count: 256), usage: ESP_USAGE_ARENA)
      let executable = try backend.compile(
        storage, placements: [middle: Placement(arena: arena, offset: 0, bytes: 60)],
        workspaces: [:], weights: [])
      let buffers = try (0..<2).map { _ in try backend.memory([UInt8](repeating: 0, count: 60)) }
      let bindings = [Binding(x, buffers[0]), Binding(y, buffers[1])]
      let error = ConformanceHost.cancelling { failure { try executable.execute(bindings) } }
      #expect(error?.code == ESP_CANCELLED)
      try executable.execute(bindings)
    }
  }
}

/// Expects every element within a few units of f32 of its reference.
private func expectClose(_ found: [Float], _ expected: [Double]) {
  #expect(found.count == expected.count)
  for (value, reference) in zip(found, expected) {
    #expect(abs(Double(value) - reference) <= 1e-6 * max(abs(reference), 1))
  }
}

/// What `node_timed` reported.
private final class Profile {
  private(set) var nodes: [Int32] = []
  private(set) var isOrdered = true
  private var last: UInt64 = 0

  func add(_ node: Int32, _ begin: UInt64, _ end: UInt64) {
    nodes.append(node)
    isOrdered = isOrdered && begin <= end && begin >= last
    last = end
  }
}
