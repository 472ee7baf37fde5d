import EspalierABI
import EspalierTensors

/// An open device of a backend plugin. Has one owner; calls on it come from one task at a time.
// SAFETY: the table and the handle are set once; the host serialises calls by the single-owner rule.
public final class ComputeDevice: @unchecked Sendable {
  /// What the device offers.
  public let info: DeviceInfo
  /// The plugin's short name: blas, vulkan, ….
  public let backendName: String
  let api: UnsafePointer<esp_backend_api>
  let handle: OpaquePointer

  /// Opens a device.
  ///
  /// - Parameter options: Settings that the backend understands, by name.
  /// - Throws: `BackendError.failed` with the plugin's words.
  public init(
    _ plugin: BackendPlugin, _ info: DeviceInfo, options: [String: String] = [:]
  ) throws(BackendError) {
    var opened: OpaquePointer?
    do throws(CallFailure) {
      opened = try Self.open(plugin.api, info.index, options)
    } catch {
      throw .failed(backend: plugin.name, operation: "open device \(info)", error)
    }
    guard let opened else {
      throw .invalidAnswer(backend: plugin.name, operation: "device_open", detail: "no device")
    }
    self.info = info
    backendName = plugin.name
    api = plugin.api
    handle = opened
  }

  deinit { api.pointee.device_close(handle) }

  /// Bytes that the device holds now and held at most; `nil` if the backend does not tell.
  public var memory: (now: Int, peak: Int)? {
    guard let query = api.pointee.device_memory else { return nil }
    var now: UInt64 = 0
    var peak: UInt64 = 0
    do throws(CallFailure) {
      try callPlugin { query(handle, &now, &peak, $0) }
      return (Int(clamping: now), Int(clamping: peak))
    } catch { return nil }
  }

  /// Bytes that can be allocated now, asked anew: what the device says is free, and at most what it has in all beyond
  /// what it holds, since a driver may not count that; on a CPU also what the system lets this process have. `nil` if
  /// nobody tells.
  public var availableByteCount: Int? {
    guard let now = try? DeviceInfo(index: info.index, asking: api, backend: backendName) else {
      return nil
    }
    let unheld = now.memoryByteCount.map { max(0, $0 - (memory?.now ?? 0)) }
    let system = info.deviceClass == .cpu ? SystemMemory.current.availableByteCount : nil
    return [now.freeMemoryByteCount, unheld, system].compactMap(\.self).min()
  }

  /// Waits for all work in flight.
  public func wait() throws(BackendError) {
    try call("wait for the device") { api.pointee.device_wait(handle, $0) }
  }

  func call(
    _ operation: String, _ body: (UnsafeMutablePointer<esp_error>) -> Int32
  ) throws(BackendError) {
    do throws(CallFailure) { try callPlugin(body) } catch {
      throw .failed(backend: backendName, operation: operation, error)
    }
  }

  private static func open(
    _ table: UnsafePointer<esp_backend_api>, _ index: Int, _ options: [String: String]
  ) throws(CallFailure) -> OpaquePointer? {
    let names = options.keys.sorted()
    let strings = names.map { ($0.cStringCopy(), (options[$0] ?? "").cStringCopy()) }
    defer {
      for (name, value) in strings {
        name.deallocate()
        value.deallocate()
      }
    }
    let list = strings.map { esp_option(name: UnsafePointer($0.0), value: UnsafePointer($0.1)) }
    var out: OpaquePointer?
    try callPlugin { error in
      list.withUnsafeBufferPointer {
        table.pointee.device_open(UInt32(index), $0.baseAddress, $0.count, &out, error)
      }
    }
    return out
  }
}

extension String {
  /// The text as a zero-terminated copy that the caller deallocates.
  func cStringCopy() -> UnsafeMutablePointer<CChar> {
    let bytes = utf8CString
    let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
    for (k, byte) in bytes.enumerated() { (copy + k).initialize(to: byte) }
    return copy
  }
}

extension DType {
  /// The type's number at the plugin boundary (`ESP_DTYPE_…`), `nil` if it exists in files only.
  var boundaryCode: Int32? {
    switch self {
    case .float32: ESP_DTYPE_F32
    case .float16: ESP_DTYPE_F16
    case .bfloat16: ESP_DTYPE_BF16
    case .int32: ESP_DTYPE_I32
    case .int64, .uint8, .float64: nil
    }
  }
}
