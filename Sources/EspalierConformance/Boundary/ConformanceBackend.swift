public import EspalierABI

/// A device of a backend plugin, opened for conformance cases.
// SAFETY: the table never changes; each case makes its own buffers and executables, and whoever shares
// a device between threads serialises the calls on it.
public final class ConformanceBackend: @unchecked Sendable {
  /// The plugin's name.
  public let name: String
  public let api: esp_backend_api
  public let device: OpaquePointer
  /// What the device says that it can store activations and weights as.
  public let activationTypes, weightTypes: [StorageType]
  /// The most that one buffer may have.
  public let maxBufferBytes: UInt64
  /// Bytes before and after every operand that nobody may touch; keeps the device's alignment.
  public let guardBytes: Int

  /// Opens a device.
  ///
  /// - Parameters:
  ///   - api: The plugin's table with all required functions.
  ///   - options: Settings that the backend understands, by name.
  /// - Throws: `BackendFailure`.
  public init(
    name: String, api: esp_backend_api, deviceIndex: UInt32 = 0, options: [String: String] = [:]
  ) throws {
    var info = esp_device_info()
    info.struct_size = UInt32(MemoryLayout<esp_device_info>.size)
    try checked("device_info") { api.device_info(deviceIndex, &info, $0) }
    guard info.alignment.nonzeroBitCount == 1, info.alignment <= 1 << 20 else {
      throw BackendFailure(
        message: "device_info: alignment \(info.alignment), expected a power of two")
    }
    var device: OpaquePointer?
    try checked("device_open") { error in
      withOptions(options) {
        api.device_open(deviceIndex, $0.baseAddress, $0.count, &device, error)
      }
    }
    guard let device else {
      throw BackendFailure(message: "device_open reported success but handed out no device")
    }
    self.name = name
    self.api = api
    self.device = device
    maxBufferBytes = info.max_buffer_bytes
    guardBytes = max(256, Int(info.alignment))
    activationTypes = Self.types(info.activation_dtypes)
    weightTypes = Self.types(info.weight_dtypes)
  }

  deinit { api.device_close(device) }

  /// A new buffer with undefined content.
  public func memory(byteCount: Int, usage: Int32) throws -> DeviceMemory {
    var buffer: OpaquePointer?
    try checked("buffer_create") {
      api.buffer_create(device, UInt64(byteCount), usage, &buffer, $0)
    }
    guard let buffer else {
      throw BackendFailure(message: "buffer_create reported success but handed out no buffer")
    }
    return DeviceMemory(api: api, handle: buffer, count: byteCount)
  }

  /// A new buffer with these bytes.
  public func memory(_ bytes: [UInt8], usage: Int32 = ESP_USAGE_IO) throws -> DeviceMemory {
    let made = try memory(byteCount: bytes.count, usage: usage)
    try made.write(bytes)
    return made
  }

  /// An arena full of poison; of another usage where the backend does not let the host write to arenas.
  func arena(_ bytes: [UInt8]) throws -> DeviceMemory {
    do {
      return try memory(bytes, usage: ESP_USAGE_ARENA)
    } catch {
      return try memory(bytes, usage: ESP_USAGE_STATE)
    }
  }

  private static func types(_ bits: UInt32) -> [StorageType] {
    [.float32, .float16, .bfloat16].filter { bits & (1 << UInt32($0.rawValue)) != 0 }
  }
}

/// Calls `body` with the settings in C's terms.
private func withOptions(
  _ options: [String: String], _ body: (UnsafeBufferPointer<esp_option>) -> Int32
) -> Int32 {
  let texts = options.sorted { $0.key < $1.key }.map {
    (Array($0.key.utf8CString), Array($0.value.utf8CString))
  }
  func call(_ index: Int, _ list: [esp_option]) -> Int32 {
    guard index < texts.count else { return list.withUnsafeBufferPointer(body) }
    return texts[index].0.withUnsafeBufferPointer { name in
      texts[index].1.withUnsafeBufferPointer { value in
        guard let name = name.baseAddress, let value = value.baseAddress else {
          return ESP_INTERNAL
        }
        return call(index + 1, list + [esp_option(name: name, value: value)])
      }
    }
  }
  return call(0, [])
}
