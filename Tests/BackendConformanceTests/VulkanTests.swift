import EspalierABI
import EspalierConformance
import Testing

extension EveryBackend {
  /// What only the backend `vulkan` has: its settings, its two ways to memory, its limits.
  @Suite struct VulkanTests {
    @Test(arguments: [
      ("vulkan+kernel=gpu", ["kernel", "kernels", "staging"]),
      ("vulkan+kernels=fast", ["kernels", "fast", "gpu"]),
      ("vulkan+staging=never", ["staging", "never", "always"]),
    ])
    func `a setting that does not exist is refused with those that do`(
      selector: String, words: [String]
    ) {
      let error = failure { _ = try BackendUnderTest(selector) }
      #expect(error?.code == ESP_INVALID_ARGUMENT)
      for word in words { #expect(error?.message.contains(word) == true, "\(word)") }
    }

    @Test(arguments: ["vulkan", "vulkan+staging=always"])
    func `bytes come back as they were written, at any offset and size`(selector: String) throws {
      let backend = try BackendUnderTest(selector).backend
      // More than all staging slots together, and no multiple of one.
      let count = 17 << 20 | 12345
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
      let memory = try backend.memory(byteCount: count + 1000, usage: ESP_USAGE_IO)
      try memory.write(bytes, at: 0)
      try memory.write([1, 2, 3], at: count + 7)
      #expect(try memory.read(0..<count) == bytes)
      #expect(try memory.read(count + 7..<count + 10) == [1, 2, 3])
      #expect(try memory.read(4_194_303..<4_194_306) == Array(bytes[4_194_303..<4_194_306]))
    }

    @Test func `a small case passes with the transfers and kernels of a GPU`() throws {
      let backend = try BackendUnderTest("vulkan+staging=always+kernels=gpu").backend
      let operations: [OperationCode] = [.linear, .conv2D, .attention, .groupNorm]
      for operation in operations {
        let example = try #require(
          ConformanceSuite.cases([operation]).first { $0.isOffered(by: backend) })
        let result = backend.check(example)
        #expect(result.status == .passed, "\(example): \(result.faults)")
      }
    }

    @Test func `memory is counted, and given back with its buffer`() throws {
      let backend = try BackendUnderTest("vulkan").backend
      func held() throws -> (now: UInt64, peak: UInt64) {
        var (now, peak): (UInt64, UInt64) = (0, 0)
        let query = try #require(backend.api.device_memory)
        try checked("device_memory") { query(backend.device, &now, &peak, $0) }
        return (now, peak)
      }
      let before = try held()
      do {
        let large = try backend.memory(byteCount: 64 << 20, usage: ESP_USAGE_ARENA)
        #expect(try held().now >= before.now + UInt64(large.count))
      }
      let after = try held()
      #expect(after.now == before.now && after.peak >= before.now + 64 << 20)
    }

    @Test func `a buffer that no allocation can hold is refused with the numbers`() throws {
      let backend = try BackendUnderTest("vulkan").backend
      let error = failure {
        _ = try backend.memory(byteCount: Int(backend.maxBufferBytes) + 1, usage: ESP_USAGE_IO)
      }
      #expect(error?.code == ESP_OUT_OF_MEMORY)
    }
  }
}
