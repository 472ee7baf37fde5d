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
    if importing == nil {
      try write(weight)
      weight.releasePages()
    }
  }

  /// A state with this content.
  public convenience init(_ device: ComputeDevice, state: HostTensor) throws(BackendError) {
    try self.init(device, byteCount: state.byteCount, usage: .state)
    try write(state)
  }

  deinit {
    device.api.pointee.buffer_destroy(handle)
    releasePages()
  }

  /// Bytes of the host's memory that it looks at; 0 for memory of its own.
  var importedByteCount: Int { imported?.byteCount ?? 0 }

  /// Takes the file's pages that an imported buffer looks at out of memory until they are used again.
  func releasePages() { imported?.releasePages() }

  /// Copies the tensor to the start of the buffer.
  ///
  /// - Throws: `BackendError` if it does not fit or the device fails.
  public func write(_ tensor: HostTensor) throws(BackendError) {
    try write(tensor, bytes: 0..<tensor.byteCount)
  }

  /// Copies a part of the tensor to the start of the buffer.
  ///
  /// - Parameter range: Bytes of the tensor.
  /// - Throws: `BackendError` if it does not fit or the device fails.
  public func write(_ tensor: HostTensor, bytes range: Range<Int>) throws(BackendError) {
    try check(range.count)
    if range.isEmpty { return }
    try device.call("write to device memory") { error in
      tensor.withUnsafeBytes { bytes in
        bytes.baseAddress.map {
          device.api.pointee.buffer_write(
            handle, 0, $0 + range.lowerBound, UInt64(range.count), error)
        } ?? ESP_OK
      }
    }
  }

  /// Waits for the device and copies the start of the buffer to the host.
  public func read(_ shape: Shape, dtype: DType = .float32) throws(BackendError) -> HostTensor {
    let result = HostTensor(unwritten: dtype, shape: shape)
    try read(into: result, bytes: 0..<result.byteCount)
    return result
  }

  /// Waits for the device and copies bytes of the buffer to a part of a tensor.
  ///
  /// - Parameters:
  ///   - tensor: The caller made it and has not handed it on.
  ///   - range: Bytes of the tensor.
  ///   - offset: Of the first byte in the buffer.
  public func read(
    into tensor: HostTensor, bytes range: Range<Int>, from offset: Int = 0
  ) throws(BackendError) {
    try check(offset + range.count)
    if range.isEmpty { return }
    try device.call("read device memory") { error in
      tensor.withUnsafeMutableBytes { bytes in
        bytes.baseAddress.map {
          device.api.pointee.buffer_read(
            handle, UInt64(offset), $0 + range.lowerBound, UInt64(range.count), error)
        } ?? ESP_OK
      }
    }
  }

  private func check(_ byteCount: Int) throws(BackendError) {
    guard byteCount > self.byteCount else { return }
    throw .binding(
      name: "buffer", expected: "at most \(self.byteCount) bytes", found: "\(byteCount) bytes")
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
