import CBLASKernels
import EspalierABI
import EspalierPluginKit

/// The backend `blas`: its one device is the CPU, and it has no options.
struct BLASBackend: BackendPlugin {
  static let name = "blas"
  static let version = "1.0.0"
  static let summary = "CPU, with OpenBLAS for matrix products"
  static let importsMemory = true

  func devices() throws(PluginError) -> [BackendDeviceDescription] {
    let workers = max(HostServices.current?.workerCount ?? 1, 1)
    let name = Machine.processorName ?? "CPU"
    let memoryBytes = Machine.memoryBytes
    return [
      BackendDeviceDescription(
        deviceClass: ESP_DEVICE_CPU,
        name: "\(name), \(workers) \(workers == 1 ? "thread" : "threads")",
        details: Self.details, memoryBytes: memoryBytes,
        freeMemoryBytes: Machine.availableMemoryBytes ?? 0,
        maxBufferBytes: memoryBytes == 0 ? UInt64(Int.max) : memoryBytes,
        alignment: Buffer.alignment, activationDTypes: bits(ESP_DTYPE_F32),
        weightDTypes: bits(ESP_DTYPE_F32, ESP_DTYPE_F16, ESP_DTYPE_BF16))
    ]
  }

  /// `OpenBLAS 0.3.26 for SkylakeX; own kernels for AVX-512`.
  private static var details: String {
    let version = String(cString: bk_blas_version()).split(separator: " ").prefix(2)
    return "\(version.joined(separator: " ")) for \(String(cString: bk_blas_core())); "
      + "own kernels for \(String(cString: bk_instructions()))"
  }

  private func bits(_ dtypes: Int32...) -> UInt32 {
    dtypes.reduce(0) { $0 | 1 << UInt32($1) }
  }

  func open(
    device index: Int, options: PluginSettings
  ) throws(PluginError) -> any BackendDevice {
    guard let host = HostServices.current else {
      throw .invalidArgument("the device was opened before the plugin's entry was called")
    }
    bk_set_up()
    return Device(host: host)
  }
}
