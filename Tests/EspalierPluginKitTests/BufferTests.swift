import EspalierABI
import EspalierConformance
import EspalierPluginKit
import Testing

@Suite struct BufferTests {
  /// A buffer of any size and usage.
  private func create(_ probe: Probe, _ bytes: UInt64, usage: Int32) throws -> DeviceMemory {
    var handle: OpaquePointer?
    try checked { table.buffer_create(probe.host.device, bytes, usage, &handle, $0) }
    return DeviceMemory(api: table, handle: try #require(handle), count: Int(bytes))
  }

  @Test func `bytes come back from where they were written`() throws {
    try withProbe { probe in
      let buffer = try create(probe, 100, usage: ESP_USAGE_STATE)
      try buffer.write([1, 2, 3], at: 97)
      #expect(try buffer.read(96..<100) == [0, 1, 2, 3])
      #expect(probe.device.usages == [.state])
    }
  }

  @Test func `a range outside is refused, an empty one is nothing`() throws {
    try withProbe { probe in
      let buffer = try create(probe, 8, usage: ESP_USAGE_IO)
      for offset in [8, 9, Int.max] {
        #expect(failure { try buffer.write([1], at: offset) }?.code == ESP_INVALID_ARGUMENT)
      }
      var byte: UInt8 = 0
      for (offset, count) in [(0, UInt64.max), (.max, 1), (.max, .max), (7, 2)]
        as [(UInt64, UInt64)]
      {
        let error = failure {
          try checked { table.buffer_read(buffer.handle, offset, &byte, count, $0) }
        }
        #expect(error?.code == ESP_INVALID_ARGUMENT)
      }
      try checked { table.buffer_read(buffer.handle, 8, &byte, 0, $0) }
      withExtendedLifetime(buffer) {}
      let empty = try create(probe, 0, usage: ESP_USAGE_IO)
      #expect(failure { try empty.write([1]) }?.code == ESP_INVALID_ARGUMENT)
    }
  }

  @Test func `a size or usage that no device offers is refused`() throws {
    try withProbe { probe in
      for bytes in [4097, UInt64.max] {
        let error = failure { _ = try create(probe, bytes, usage: ESP_USAGE_IO) }
        #expect(error?.code == ESP_OUT_OF_MEMORY && error?.message.contains("4096") == true)
      }
      for usage in [-1, 4] as [Int32] {
        #expect(
          failure { _ = try create(probe, 8, usage: usage) }?.code == ESP_INVALID_ARGUMENT)
      }
      _ = try create(probe, 4096, usage: ESP_USAGE_WEIGHT)
    }
  }

  @Test func `a destroyed buffer is gone`() throws {
    try withProbe { probe in
      do { _ = try create(probe, 8, usage: ESP_USAGE_IO) }
      #expect(probe.device.events == ["buffer gone"])
    }
  }

  @Test(arguments: [0, 1] as [UInt32])
  func `imported memory cannot be written, and is copied where it must be`(index: UInt32) throws {
    try withProbe(deviceIndex: index) { probe in
      try ([7, 8, 9] as [UInt8]).withUnsafeBytes { (memory: UnsafeRawBufferPointer) in
        let buffer = try probe.importing(memory)
        #expect(failure { try buffer.write([1]) }?.code == ESP_INVALID_ARGUMENT)
        #expect(probe.device.usages == (index == 0 ? [] : [.weight]))
        #expect(try buffer.read(0..<1) == (index == 0 ? [0] : [7]))
      }
    }
  }

  @Test(arguments: [0, 1] as [UInt32])
  func `a weight that a file left unaligned is copied, another stays`(index: UInt32) throws {
    try withProbe(deviceIndex: index) { probe in
      let graph = GraphStorage()
      graph.tensor([2], storage: .float16, role: ESP_ROLE_WEIGHT)
      graph.tensor([2], storage: .float16, role: ESP_ROLE_WEIGHT)
      let file = UnsafeMutableRawBufferPointer.allocate(byteCount: 16, alignment: 16)
      defer { file.deallocate() }
      file.copyBytes(from: 0..<16)
      let buffer = try probe.importing(UnsafeRawBufferPointer(rebasing: file[1...]))
      let offsets = index == 0 ? (even: 3, odd: 4) : (even: 4, odd: 3)
      let executable = try probe.host.compile(
        graph, placements: [:], workspaces: [:],
        weights: [Binding(0, buffer, at: offsets.even), Binding(1, buffer, at: offsets.odd)])
      let places = try #require(probe.device.plan).tensors
      let (stayed, copied) = (try #require(places[0]), try #require(places[1]))
      #expect(stayed.offset == UInt64(offsets.even) && stayed.byteCount == 4)
      #expect(copied.offset == 0 && copied.byteCount == 4 && copied.buffer !== stayed.buffer)
      let first = UInt8(1 + offsets.odd)
      #expect(
        (copied.buffer as? RecordingBuffer)?.bytes == [first, first + 1, first + 2, first + 3])
      withExtendedLifetime(executable) {}
    }
  }
}
