public import EspalierABI

/// A device buffer that is destroyed with its last reference.
public final class DeviceMemory {
  /// The backend's handle.
  public let handle: OpaquePointer
  /// Bytes.
  public let count: Int
  private let api: esp_backend_api

  /// Takes over a buffer that the backend made.
  public init(api: esp_backend_api, handle: OpaquePointer, count: Int) {
    self.api = api
    self.handle = handle
    self.count = count
  }

  deinit { api.buffer_destroy(handle) }

  /// Copies bytes to the device.
  ///
  /// - Throws: `BackendFailure`.
  public func write(_ bytes: [UInt8], at offset: Int = 0) throws {
    try bytes.withUnsafeBytes { source in
      guard let base = source.baseAddress else { return }
      try checked("buffer_write") {
        api.buffer_write(handle, UInt64(offset), base, UInt64(source.count), $0)
      }
    }
  }

  /// Copies bytes from the device, after all work in flight.
  ///
  /// - Throws: `BackendFailure`.
  public func read(_ range: Range<Int>) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: range.count)
    try bytes.withUnsafeMutableBytes { target in
      guard let base = target.baseAddress else { return }
      try checked("buffer_read") {
        api.buffer_read(handle, UInt64(range.lowerBound), base, UInt64(range.count), $0)
      }
    }
    return bytes
  }
}
