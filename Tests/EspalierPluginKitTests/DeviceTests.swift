import EspalierABI
import EspalierConformance
import EspalierPluginKit
import Testing

@Suite struct DeviceTests {
  /// A description of device `index` in a structure of which the host knows `byteCount` bytes.
  private func info(_ index: UInt32, byteCount: Int) throws -> esp_device_info {
    var info = esp_device_info()
    withUnsafeMutableBytes(of: &info) {
      $0.copyBytes(from: [UInt8](repeating: 0x55, count: $0.count))
    }
    info.struct_size = UInt32(byteCount)
    try checked { table.device_info(index, &info, $0) }
    return info
  }

  private func text(_ bytes: UnsafeRawBufferPointer) -> String? {
    bytes.firstIndex(of: 0).flatMap { String(validating: bytes[..<$0], as: UTF8.self) }
  }

  @Test func `a device is described as far as the caller's structure goes`() throws {
    var count: UInt32 = 0
    try checked { table.device_count(&count, $0) }
    #expect(count == 2)
    let size = MemoryLayout<esp_device_info>.size
    let whole = try info(0, byteCount: size)
    #expect(whole.struct_size == UInt32(size) && whole.device_class == ESP_DEVICE_SOFTWARE_GPU)
    #expect(whole.memory_bytes == 3 && whole.memory_free_bytes == 2)
    #expect(whole.max_buffer_bytes == 4096 && whole.alignment == 64)
    #expect(whole.activation_dtypes == 1 && whole.weight_dtypes == 7)
    #expect(withUnsafeBytes(of: whole.name, text) == "Imports")
    #expect(withUnsafeBytes(of: whole.details, text) == "driver 1.2")
    let start = try #require(MemoryLayout<esp_device_info>.offset(of: \.details))
    let old = try info(0, byteCount: start)
    #expect(withUnsafeBytes(of: old.name, text) == "Imports")
    #expect(withUnsafeBytes(of: old.details) { $0.allSatisfy { $0 == 0x55 } })
  }

  @Test func `a long name ends with a whole character`() throws {
    let info = try info(1, byteCount: MemoryLayout<esp_device_info>.size)
    let name = try #require(withUnsafeBytes(of: info.name, text))
    #expect(RecordingBackend.names[1].hasPrefix(name) && name.utf8.count == 126)
  }

  /// Opens a device with these options; its error record, or nil.
  private func open(_ index: UInt32, _ options: KeyValuePairs<String, String>) -> esp_error? {
    let list = options.map {
      esp_option(name: processLifetimeCString($0.key), value: processLifetimeCString($0.value))
    }
    var handle: OpaquePointer?
    var error = esp_error()
    let code = table.device_open(index, list, list.count, &handle, &error)
    if let handle { table.device_close(handle) }
    return code == ESP_OK ? nil : error
  }

  @Test func `a device that is not there is refused`() {
    var info = esp_device_info()
    #expect(failure { try checked { table.device_info(2, &info, $0) } }?.code == ESP_NOT_FOUND)
    #expect(open(2, [:])?.code == ESP_NOT_FOUND)
  }

  @Test func `options reach the backend with their types, and its refusal the host`() throws {
    #expect(open(0, ["label": "1", "count": "3", "mode": "fancy", "list": "[1, 2]"]) == nil)
    let options = try #require(RecordingBackend.lastOpened?.options)
    #expect(try options.value(of: RecordingBackend.label) == "1")
    #expect(try options.value(of: RecordingBackend.count) == 3)
    #expect(try options.value(of: RecordingBackend.mode) == .fancy)
    #expect(try options.value(of: RecordingBackend.list) == [1, 2])
    #expect(try options.value(of: RecordingBackend.scale) == 0.5)
    #expect(open(0, ["count": "3", "count": "3"])?.code == ESP_INVALID_ARGUMENT)
    #expect(open(0, ["count": "three"])?.code == ESP_INVALID_ARGUMENT)
    #expect(open(0, ["counts": "3"])?.code == ESP_INVALID_ARGUMENT)
    let refused = try #require(open(0, ["fails": "true"]))
    #expect(refused.code == ESP_IO && refused.native_code == -7 && refused.node == -1)
  }

  @Test func `closing waits, lets go of everything and closes once`() throws {
    var buffer: OpaquePointer?
    var executable: OpaquePointer?
    let device = try withProbe { probe in
      try checked { table.buffer_create(probe.host.device, 64, ESP_USAGE_IO, &buffer, $0) }
      let graph = GraphStorage()
      graph.tensor([1], role: ESP_ROLE_INPUT)
      var place = esp_placement()
      var plan = esp_memory_plan()
      try withUnsafePointer(to: &place) { place in
        plan.tensors = place
        try checked {
          table.graph_compile(probe.host.device, graph.finish(), &plan, &executable, $0)
        }
      }
      return probe.device
    }
    #expect(device.events == ["wait", "executable gone", "buffer gone", "close"])
    let (left, compiled) = (try #require(buffer), try #require(executable))
    var byte: UInt8 = 0
    for error in [
      failure { try checked { table.buffer_read(left, 0, &byte, 1, $0) } },
      failure { try checked { table.buffer_write(left, 0, &byte, 1, $0) } },
      failure { try checked { table.execute(compiled, nil, 0, nil, $0) } },
    ] {
      #expect(error?.code == ESP_INVALID_ARGUMENT && error?.message.contains("closed") == true)
    }
    table.buffer_destroy(left)
    table.executable_destroy(compiled)
    #expect(device.events.count == 4)
  }

  @Test func `a device that fails is closed all the same`() throws {
    let device = try withProbe { probe in
      probe.device.failure = PluginError(ESP_DEVICE_LOST, "gone", nativeCode: -4)
      var error = esp_error()
      #expect(table.device_wait(probe.host.device, &error) == ESP_DEVICE_LOST)
      #expect(error.code == ESP_DEVICE_LOST && error.native_code == -4)
      #expect(String(cString: esp_error_message(&error)) == "gone")
      return probe.device
    }
    #expect(device.events == ["wait", "wait", "close"])
  }

  @Test func `what a device holds is passed on`() throws {
    try withProbe { probe in
      var (now, peak): (UInt64, UInt64) = (0, 0)
      let deviceMemory = try #require(table.device_memory)
      try checked { deviceMemory(probe.host.device, &now, &peak, $0) }
      #expect(now == 5 && peak == 8)
    }
  }
}
