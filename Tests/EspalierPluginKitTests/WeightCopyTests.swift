import EspalierABI
import EspalierConformance
import EspalierPluginKit
import Testing

/// Copies of constant weights, which the kit passes on in both directions.
@Suite struct WeightCopyTests {
  /// y = f(x, w), twice; both nodes offer a copy of 96 bytes of w.
  private struct Pair {
    let graph = GraphStorage()
    let w: Int32
    let probe: Probe
    let weight, memory: DeviceMemory

    /// - Parameter operand: Which input the offers are for.
    init(_ probe: Probe, operand: Int64 = 1) throws {
      let x = graph.tensor([4], role: ESP_ROLE_INPUT)
      w = graph.tensor([4], role: ESP_ROLE_WEIGHT)
      for _ in 0..<2 {
        let y = graph.tensor([4], role: ESP_ROLE_OUTPUT)
        graph.node(1, [x, w], [y], integers: [0, 0, 96, operand])
      }
      self.probe = probe
      weight = try probe.host.memory([UInt8](repeating: 0, count: 16), usage: ESP_USAGE_WEIGHT)
      memory = try probe.host.memory([UInt8](repeating: 0, count: 256), usage: ESP_USAGE_ARENA)
    }

    func place(_ offset: Int, _ bytes: Int = 96) -> Placement {
      Placement(arena: memory, offset: offset, bytes: bytes)
    }

    func compile(_ copies: [Int: Placement]) throws {
      _ = try probe.host.compile(
        graph, placements: [:], workspaces: [:], weights: [Binding(w, weight)], copies: copies)
    }
  }

  @Test func `an offer reaches the host with its weight`() throws {
    try withProbe { probe in
      let pair = try Pair(probe)
      let copies = try probe.host.analyze(pair.graph).copies
      #expect(copies.map(\.tensor) == [pair.w, pair.w])
      #expect(copies.map(\.bytes) == [96, 96] && copies.map(\.form) == [7, 7])
      #expect(copies.map(\.saved_ns) == [20, 20] && copies.map(\.making_ns) == [30, 30])
    }
  }

  @Test func `an offer for what is no weight is a fault of the plugin`() throws {
    try withProbe { probe in
      for operand: Int64 in [0, 2, -1] {
        let pair = try Pair(probe, operand: operand)
        let error = failure { _ = try probe.host.analyze(pair.graph) }
        #expect(
          error?.code == ESP_INTERNAL && error?.message.contains("no constant weight") == true)
      }
    }
  }

  @Test func `kept copies come as places, others as none`() throws {
    try withProbe { probe in
      let pair = try Pair(probe)
      try pair.compile([:])
      #expect(probe.device.plan?.copies.count == 2)
      #expect(probe.device.plan?.copies.allSatisfy { $0 == nil } == true)
      try pair.compile([1: pair.place(64)])
      #expect(probe.device.plan?.copies.map { $0?.offset } == [nil, 64])
      // Two nodes may share a place, as their copies are the same.
      try pair.compile([0: pair.place(128), 1: pair.place(128)])
      #expect(probe.device.plan?.copies.map { $0?.byteCount } == [96, 96])
    }
  }

  @Test func `a copy lies aligned inside its buffer, and as large as was offered`() throws {
    try withProbe { probe in
      let pair = try Pair(probe)
      for (copies, words) in [
        ([0: pair.place(32)], "aligned to 64 bytes"), ([0: pair.place(192)], "leaves its buffer"),
        ([1: pair.place(0, 64)], "expected one of 96"), ([2: pair.place(0)], "offers none"),
        ([-1: pair.place(0)], "offers none"),
      ] {
        let error = failure { try pair.compile(copies) }
        #expect(error?.code == ESP_INVALID_ARGUMENT)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "accepted")")
      }
    }
  }

  /// The structs of boundary 1.2 end before the new fields; behind them is nothing that may be read or written.
  @Test func `a host of boundary 1.2 is offered nothing and keeps nothing`() throws {
    try withProbe { probe in
      let pair = try Pair(probe)
      let arrays = UnsafeMutableRawPointer.allocate(byteCount: 512, alignment: 8)
      defer { arrays.deallocate() }
      arrays.initializeMemory(as: UInt8.self, repeating: 0, count: 512)
      func array<Element>(_ index: Int, of type: Element.Type) -> UnsafeMutablePointer<Element> {
        (arrays + 64 * index).assumingMemoryBound(to: type)
      }
      let offers = array(5, of: esp_copy_offer.self)
      let end = try #require(MemoryLayout<esp_analysis>.offset(of: \.node_copies))
      var analysis = esp_analysis(
        struct_size: UInt32(end), reserved: 0, node_supported: array(0, of: UInt8.self),
        node_inplace_veto: array(1, of: UInt8.self), node_workspace: array(2, of: UInt64.self),
        tensor_vanishes: array(3, of: UInt8.self), node_fused_into: array(4, of: Int32.self),
        node_copies: offers)
      try checked { table.graph_analyze(probe.host.device, pair.graph.finish(), &analysis, $0) }
      #expect(array(0, of: UInt8.self)[1] == 1)
      #expect(offers[0].bytes == 0 && offers[1].bytes == 0)
    }
  }
}
