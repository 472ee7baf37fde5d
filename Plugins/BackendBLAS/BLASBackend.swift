import CBLASKernels
import EspalierABI
import EspalierPluginKit

/// The backend `blas`: its one device is the CPU, and it has no options.
struct BLASBackend: BackendPlugin {
  func devices() throws(PluginError) -> [BackendDeviceDescription] {
    let workers = max(HostServices.current?.workerCount ?? 1, 1)
    return [
      BackendDeviceDescription(
        deviceClass: ESP_DEVICE_CPU,
        name: "\(Machine.processorName ?? "CPU"), \(workers) \(workers == 1 ? "thread" : "threads")",
        details: "", memoryBytes: Machine.memoryBytes,
        freeMemoryBytes: Machine.availableMemoryBytes ?? 0,
        maxBufferBytes: Machine.memoryBytes == 0 ? UInt64(Int.max) : Machine.memoryBytes,
        alignment: Buffer.alignment, activationDTypes: 1 << UInt32(ESP_DTYPE_F32),
        weightDTypes: 1 << UInt32(ESP_DTYPE_F32) | 1 << UInt32(ESP_DTYPE_F16) | 1
          << UInt32(ESP_DTYPE_BF16))
    ]
  }

  func open(
    device index: Int, options: [String: String]
  ) throws(PluginError) -> any BackendDevice {
    if let unknown = options.keys.min() {
      throw .invalidArgument("blas has no options; found \(unknown)")
    }
    guard let host = HostServices.current else {
      throw .invalidArgument("the device was opened before the plugin's entry was called")
    }
    bk_set_up()
    return Device(host: host)
  }
}
