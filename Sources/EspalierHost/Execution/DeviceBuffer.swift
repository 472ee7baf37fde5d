import EspalierABI
public import EspalierTensors

/// Memory of a device.
// SAFETY: used under the device's single-owner rule.
public final class DeviceBuffer: @unchecked Sendable {
  /// What a buffer is for (`ESP_USAGE_…`).
  public enum Usage: Int32, Sendable {
    case weight = 0
    case arena, state, io
  }

  public let byteCount: Int
  let handle: OpaquePointer
  private let device: ComputeDevice
  /// Host memory that an imported buffer looks at.
  private let imported: HostTensor?

  /// New memory with undefined content.
  ///
  /// - Throws: `BackendError.device` if the device has no room.
  public init(_ device: ComputeDevice, byteCount: Int, usage: Usage) throws(BackendError) {
    var out: OpaquePointer?
    try device.call("allocate \(ByteCount(byteCount))") {
      device.api.pointee.buffer_create(
        device.handle, UInt64(max(byteCount, 1)), usage.rawValue, &out, $0)
    }
    handle = try Self.unwrap(out, device)
    self.device = device
    self.byteCount = byteCount
    imported = nil
  }

  /// A weight: a view of the host's memory where the backend can, else a copy.
  public init(_ device: ComputeDevice, weight: HostTensor) throws(BackendError) {
    var out: OpaquePointer?
    let importing = weight.isMapped && weight.byteCount > 0 ? device.api.pointee.buffer_import : nil
    if let importing {
      try device.call("import a weight") { error in
        weight.withUnsafeBytes { bytes in
          bytes.baseAddress.map {
            importing(
              device.handle, $0, UInt64(bytes.count), Usage.weight.rawValue, &out, error)
          } ?? ESP_INVALID_ARGUMENT
        }
      }
    } else {
      try device.call("allocate \(ByteCount(weight.byteCount)) for a weight") {
        device.api.pointee.buffer_create(
          device.handle, UInt64(max(weight.byteCount, 1)), Usage.weight.rawValue, &out, $0)
      }
    }
    handle = try Self.unwrap(out, device)
    self.device = device
    byteCount = weight.byteCount
    imported = importing == nil ? nil : weight
    if importing == nil { try write(weight) }
  }

  /// A state with this content.
  public convenience init(_ device: ComputeDevice, state: HostTensor) throws(BackendError) {
    try self.init(device, byteCount: state.byteCount, usage: .state)
    try write(state)
  }

  deinit { device.api.pointee.buffer_destroy(handle) }

  /// Copies the tensor to the start of the buffer.
  ///
  /// - Throws: `BackendError` if it does not fit or the device fails.
  public func write(_ tensor: HostTensor) throws(BackendError) {
    guard tensor.byteCount <= byteCount else {
      throw .binding(
        name: "buffer", expected: "at most \(byteCount) bytes", found: "\(tensor.byteCount) bytes")
    }
    if tensor.byteCount == 0 { return }
    try device.call("write to device memory") { error in
      tensor.withUnsafeBytes { bytes in
        bytes.baseAddress.map {
          device.api.pointee.buffer_write(handle, 0, $0, UInt64(bytes.count), error)
        } ?? ESP_OK
      }
    }
  }

  /// Waits for the device and copies the start of the buffer to the host.
  public func read(_ shape: Shape, dtype: DType = .float32) throws(BackendError) -> HostTensor {
    let result = HostTensor(dtype: dtype, shape: shape)
    guard result.byteCount <= byteCount else {
      throw .binding(
        name: "buffer", expected: "at most \(byteCount) bytes", found: "\(result.byteCount) bytes")
    }
    if result.byteCount == 0 { return result }
    try device.call("read device memory") { error in
      result.withUnsafeMutableBytes { bytes in
        bytes.baseAddress.map {
          device.api.pointee.buffer_read(handle, 0, $0, UInt64(bytes.count), error)
        } ?? ESP_OK
      }
    }
    return result
  }

  private static func unwrap(
    _ out: OpaquePointer?, _ device: ComputeDevice
  ) throws(BackendError) -> OpaquePointer {
    guard let out else {
      throw .invalidAnswer(
        backend: device.backendName, operation: "buffer_create", detail: "no buffer")
    }
    return out
  }
}
