import EspalierABI
import EspalierConformance
import EspalierPluginKit
import Testing

@Suite struct BindingTests {
  /// x and a state s → the state's new value and y.
  private struct Update {
    let graph = GraphStorage()
    let x, s, new, y: Int32
    let probe: Probe
    let executable: CompiledGraph

    init(_ probe: Probe) throws {
      x = graph.tensor([4], role: ESP_ROLE_INPUT)
      s = graph.tensor([8], storage: .float16, role: ESP_ROLE_STATE)
      new = graph.tensor([8], storage: .float16, role: ESP_ROLE_OUTPUT, aliasOf: s)
      y = graph.tensor([4], role: ESP_ROLE_OUTPUT)
      graph.node(1, [x, s], [new, y])
      self.probe = probe
      executable = try probe.host.compile(graph, placements: [:], workspaces: [:], weights: [])
    }

    func buffer() throws -> DeviceMemory {
      try probe.host.memory([UInt8](repeating: 0, count: 64))
    }

    var executions: [String] { probe.device.events.filter { $0.hasPrefix("execute") } }
  }

  @Test func `an alias stands in its root's place`() throws {
    try withProbe { probe in
      let update = try Update(probe)
      let buffer = try update.buffer()
      try update.executable.execute([
        Binding(update.y, buffer, at: 48), Binding(update.s, buffer, at: 2),
        Binding(update.x, buffer),
      ])
      try update.executable.execute([
        Binding(update.x, buffer, at: 4), Binding(update.s, buffer, at: 32),
        Binding(update.y, buffer, at: 48),
      ])
      #expect(
        update.executions == ["execute 0+16 2+16 2+16 48+16", "execute 4+16 32+16 32+16 48+16"])
    }
  }

  @Test func `every tensor has one binding that fits, each time anew`() throws {
    try withProbe { probe in
      let update = try Update(probe)
      let buffer = try update.buffer()
      let good = [update.x, update.s, update.y].map { Binding($0, buffer) }
      let stranger = try Probe()
      let foreign = try stranger.host.memory([UInt8](repeating: 0, count: 64))
      let bad: [([Binding], String)] = [
        ([], "tensor 0 is not bound"), (Array(good.dropLast()), "tensor 3 is not bound"),
        (good + [good[1]], "bound twice"), ([good[0], good[1], good[1]], "bound twice"),
        (good + [Binding(update.new, buffer)], "takes no binding"),
        (good + [Binding(4, buffer)], "names tensor 4 of 4"),
        (good + [Binding(-1, buffer)], "names tensor -1"),
        ([good[0], good[1], Binding(update.y, buffer, at: 49)], "needs 16 bytes at 49"),
        ([good[0], good[1], Binding(update.y, buffer, at: 2)], "not aligned"),
        ([good[0], Binding(update.s, buffer, at: 1), good[2]], "not aligned"),
        ([good[0], good[1], Binding(update.y, foreign)], "another device"),
      ]
      for (bindings, words) in bad {
        let error = failure { try update.executable.execute(bindings) }
        #expect(error?.code == ESP_INVALID_ARGUMENT)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "accepted")")
      }
      #expect(update.executions.isEmpty)
      try update.executable.execute(good)
      #expect(failure { try update.executable.execute([]) } != nil)
      #expect(update.executions.count == 1)
    }
  }

  @Test func `what a graph writes is not bound to read-only memory`() throws {
    try withProbe { probe in
      let update = try Update(probe)
      let buffer = try update.buffer()
      let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 64)
      defer { memory.deallocate() }
      let readOnly = try probe.importing(UnsafeRawBufferPointer(memory))
      for (x, s, y) in [(buffer, readOnly, buffer), (buffer, buffer, readOnly)] {
        let error = failure {
          try update.executable.execute([
            Binding(update.x, x), Binding(update.s, s), Binding(update.y, y),
          ])
        }
        #expect(error?.message.contains("read-only") == true)
      }
      try update.executable.execute([
        Binding(update.x, readOnly), Binding(update.s, buffer), Binding(update.y, buffer),
      ])
    }
  }

  @Test func `an execution does not keep its buffers`() throws {
    try withProbe { probe in
      let update = try Update(probe)
      do {
        let buffer = try update.buffer()
        try update.executable.execute([update.x, update.s, update.y].map { Binding($0, buffer) })
      }
      #expect(update.probe.device.events.last == "buffer gone")
    }
  }

  @Test func `a failure in an execution keeps its code and node`() throws {
    try withProbe { probe in
      let update = try Update(probe)
      let buffer = try update.buffer()
      update.probe.device.failure = PluginError(ESP_TIMEOUT, "late", node: 2)
      let error = failure {
        try update.executable.execute([update.x, update.s, update.y].map { Binding($0, buffer) })
      }
      #expect(error?.code == ESP_TIMEOUT && error?.message.hasSuffix("late") == true)
      #expect(error?.node == 2)
    }
  }

  @Test func `times of nodes reach the host`() throws {
    try withProbe { probe in
      let update = try Update(probe)
      let buffer = try update.buffer()
      let times = Times()
      var options = esp_run_options()
      options.struct_size = UInt32(MemoryLayout<esp_run_options>.size)
      options.context = Unmanaged.passUnretained(times).toOpaque()
      options.node_timed = { context, node, begin, end in
        guard let context else { return }
        Unmanaged<Times>.fromOpaque(context).takeUnretainedValue().list.append(
          [Int(node), Int(begin), Int(end)])
      }
      let bindings = [update.x, update.s, update.y].map { Binding($0, buffer) }
      try update.executable.execute(bindings, options: options)
      #expect(times.list == [[3, 10, 20]])
      options.struct_size = 8
      try update.executable.execute(bindings, options: options)
      #expect(times.list.count == 1)
      withExtendedLifetime(times) {}
    }
  }
}

/// What a profile reported.
private final class Times {
  var list: [[Int]] = []
}
