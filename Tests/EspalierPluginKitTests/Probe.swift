import EspalierABI
import EspalierConformance
import EspalierPluginKit
import Testing

/// The functions through which the tests reach the backend, as a host finds them.
let table: esp_backend_api = {
  guard let api = RegisteredPlugins.api(esp_backend_api.self, kind: ESP_KIND_BACKEND) else {
    preconditionFailure("the kit hands out no backend")
  }
  return api
}()

/// An open device, seen from both sides.
final class Probe {
  let host: ConformanceBackend
  let device: RecordingDevice

  init(deviceIndex: UInt32 = 0) throws {
    host = try ConformanceBackend(name: "recording", api: table, deviceIndex: deviceIndex)
    device = try #require(RecordingBackend.lastOpened)
  }

  /// A buffer over the host's memory.
  func importing(_ bytes: UnsafeRawBufferPointer) throws -> DeviceMemory {
    var handle: OpaquePointer?
    let importBuffer = try #require(table.buffer_import)
    let base = try #require(bytes.baseAddress)
    try checked {
      importBuffer(host.device, base, UInt64(bytes.count), ESP_USAGE_WEIGHT, &handle, $0)
    }
    return DeviceMemory(api: table, handle: try #require(handle), count: bytes.count)
  }
}

/// Opens a device for as long as `body` runs.
func withProbe<Result>(
  deviceIndex: UInt32 = 0, _ body: (Probe) throws -> Result
) throws -> Result {
  let probe = try Probe(deviceIndex: deviceIndex)
  return try withExtendedLifetime(probe) { try body(probe) }
}

/// What `body` throws, or nil.
func failure(_ body: () throws -> Void) -> BackendFailure? {
  do {
    try body()
    return nil
  } catch {
    return error as? BackendFailure
  }
}
