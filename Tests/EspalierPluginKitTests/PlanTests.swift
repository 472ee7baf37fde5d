import EspalierABI
import EspalierConformance
import EspalierPluginKit
import Testing

@Suite struct PlanTests {
  /// x → a → (b, c) → y; the middle node needs 100 bytes of scratch and may write b over a.
  private struct Chain {
    let graph = GraphStorage()
    let x, a, b, c, y: Int32
    let probe: Probe
    let arena: DeviceMemory

    init(_ probe: Probe) throws {
      x = graph.tensor([16], role: ESP_ROLE_INPUT)
      a = graph.tensor([16], role: ESP_ROLE_TEMP)
      b = graph.tensor([16], role: ESP_ROLE_TEMP)
      c = graph.tensor([8], role: ESP_ROLE_TEMP)
      y = graph.tensor([16], role: ESP_ROLE_OUTPUT)
      graph.node(1, [x], [a])
      graph.node(2, [a], [b, c], integers: [100, 1])
      graph.node(3, [b, c], [y])
      self.probe = probe
      arena = try probe.host.memory([UInt8](repeating: 0, count: 512), usage: ESP_USAGE_ARENA)
    }

    /// Compiles with the three temporaries and the scratch at these offsets.
    func compile(
      a: Int, b: Int, c: Int, scratch: Int, scratchBytes: Int = 100, in other: DeviceMemory? = nil
    ) throws {
      func place(_ offset: Int, _ bytes: Int) -> Placement {
        Placement(arena: other ?? arena, offset: offset, bytes: bytes)
      }
      _ = try probe.host.compile(
        graph, placements: [self.a: place(a, 64), self.b: place(b, 64), self.c: place(c, 32)],
        workspaces: [1: place(scratch, scratchBytes)], weights: [])
    }

    /// Why the compilation was refused.
    func refusal(_ body: () throws -> Void) -> String? {
      let error = failure(body)
      return error?.code == ESP_INVALID_ARGUMENT ? error?.message : nil
    }
  }

  @Test func `a plan comes as places`() throws {
    try withProbe { probe in
      let chain = try Chain(probe)
      try chain.compile(a: 64, b: 128, c: 192, scratch: 256)
      let plan = try #require(chain.probe.device.plan)
      #expect(plan.tensors.map { $0?.offset } == [nil, 64, 128, 192, nil])
      #expect(plan.tensors.map { $0?.byteCount } == [nil, 64, 64, 32, nil])
      #expect(plan.workspaces.map { $0?.offset } == [nil, 256, nil])
      #expect(plan.workspaces.map { $0?.byteCount } == [nil, 100, nil])
      #expect(chain.probe.device.graph?.nodes.count == 3)
      try chain.compile(a: 64, b: 64, c: 192, scratch: 256)
    }
  }

  @Test func `nothing overlaps what a node still reads`() throws {
    try withProbe { probe in
      let chain = try Chain(probe)
      for (a, b, c, scratch, words) in [
        (0, 128, 0, 256, "output 1 over its input 0"),
        (0, 64, 64, 256, "output 1 over its output 0"),
        (0, 64, 128, 0, "scratch over an operand"),
        (0, 64, 128, 128, "scratch over an operand"),
      ] {
        let found = chain.refusal { try chain.compile(a: a, b: b, c: c, scratch: scratch) }
        #expect(found?.contains(words) == true, "\(found ?? "accepted")")
        #expect(found?.contains("node 1 (layer.under.test)") == true)
      }
    }
  }

  @Test func `an output takes the place of an input whole or not at all`() throws {
    try withProbe { probe in
      let arena = try probe.host.memory([UInt8](repeating: 0, count: 512), usage: ESP_USAGE_ARENA)
      func compile(_ offset: Int, inPlaceInputs: Int64, size: Int = 32) throws {
        let graph = GraphStorage()
        let x = graph.tensor([32], role: ESP_ROLE_INPUT)
        let a = graph.tensor([32], role: ESP_ROLE_TEMP)
        let b = graph.tensor([size], role: ESP_ROLE_TEMP)
        graph.node(1, [x], [a])
        graph.node(2, [x, a], [b], integers: [0, inPlaceInputs])
        _ = try probe.host.compile(
          graph,
          placements: [
            a: Placement(arena: arena, offset: 64, bytes: 128),
            b: Placement(arena: arena, offset: offset, bytes: 4 * size),
          ], workspaces: [:], weights: [])
      }
      try compile(64, inPlaceInputs: 2)
      try compile(192, inPlaceInputs: 0)
      for (offset, inputs, size) in [
        (64, 1, 32), (64, 0, 32), (128, 2, 32), (0, 2, 32), (64, 2, 8),
      ] {
        let error = failure { try compile(offset, inPlaceInputs: Int64(inputs), size: size) }
        #expect(error?.message.contains("input 1") == true && error?.node == 1)
      }
    }
  }

  @Test func `a place lies aligned inside a writable arena of the device`() throws {
    try withProbe { probe in
      let chain = try Chain(probe)
      for (a, b, c, scratch, words) in [
        (32, 128, 192, 256, "aligned to 64 bytes"), (512, 128, 192, 256, "leaves its arena"),
        (0, 64, 128, 448, "the scratch of node 1"), (0, 64, 128, 260, "aligned to 64 bytes"),
      ] {
        let found = chain.refusal { try chain.compile(a: a, b: b, c: c, scratch: scratch) }
        #expect(found?.contains(words) == true, "\(found ?? "accepted")")
      }
      let short = chain.refusal {
        try chain.compile(a: 0, b: 64, c: 128, scratch: 256, scratchBytes: 99)
      }
      #expect(short?.contains("100 bytes of scratch") == true)
      let stranger = try Probe()
      let foreign = try stranger.host.memory([UInt8](repeating: 0, count: 512))
      let moved = chain.refusal {
        try chain.compile(a: 0, b: 64, c: 128, scratch: 256, in: foreign)
      }
      #expect(moved?.contains("another device") == true)
    }
  }

  @Test func `every weight is bound to enough memory`() throws {
    try withProbe { probe in
      let graph = GraphStorage()
      let x = graph.tensor([4], role: ESP_ROLE_INPUT)
      let w = graph.tensor([4], role: ESP_ROLE_WEIGHT)
      let buffer = try probe.host.memory([UInt8](repeating: 0, count: 32), usage: ESP_USAGE_WEIGHT)
      func compile(_ weights: [Binding]) throws {
        _ = try probe.host.compile(graph, placements: [:], workspaces: [:], weights: weights)
      }
      try compile([Binding(w, buffer, at: 16)])
      for (weights, words) in [
        ([], "not bound"), ([Binding(w, buffer, at: 20)], "needs 16 bytes"),
        ([Binding(w, buffer, at: 2)], "not aligned"), ([Binding(x, buffer)], "no weight"),
        ([Binding(-1, buffer)], "no weight"), ([Binding(9, buffer)], "no weight"),
      ] {
        let error = failure { try compile(weights) }
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "accepted")")
      }
    }
  }

  @Test func `an analysis reaches the host, and a refusal names the node`() throws {
    try withProbe { probe in
      let graph = GraphStorage()
      let x = graph.tensor([4], role: ESP_ROLE_INPUT)
      let y = graph.tensor([4], role: ESP_ROLE_OUTPUT)
      let z = graph.tensor([4], role: ESP_ROLE_OUTPUT)
      graph.node(1, [x], [y], integers: [24, 5])
      graph.node(99, [x], [z], integers: [24, 5])
      let analysis = try probe.host.analyze(graph)
      #expect(analysis.isSupported == [true, false] && analysis.workspaceBytes == [24, 0])
      #expect(analysis.inPlaceVetoes == [0b1111_1010, 0xff])
      let error = failure {
        _ = try probe.host.compile(graph, placements: [:], workspaces: [:], weights: [])
      }
      #expect(error?.code == ESP_UNIMPLEMENTED && error?.node == 1)
      #expect(error?.message.contains("too hard") == true)
      probe.device.analysesToDrop = 1
      #expect(failure { _ = try probe.host.analyze(graph) }?.code == ESP_INTERNAL)
    }
  }
}
