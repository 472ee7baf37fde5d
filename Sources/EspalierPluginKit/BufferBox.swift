import EspalierABI

/// Memory of a device behind an `esp_buffer *`, with the checks that every buffer needs.
// SAFETY: the host serialises calls on one buffer.
final class BufferBox: @unchecked Sendable, DeviceResident {
  let device: DeviceBox
  /// What the host asked for.
  let byteCount: UInt64
  let isReadOnly: Bool
  /// Nil once the device is closed.
  private var buffer: (any BackendBuffer)?
  /// The host's memory behind an imported buffer.
  private let imported: UnsafeRawPointer?
  /// Address of byte 0, as far as alignments go.
  private let base: UInt64

  /// - Parameters:
  ///   - imported: The host's memory that the buffer shows.
  ///   - isInPlace: True if the buffer is that memory, false if it is a copy.
  init(
    _ buffer: any BackendBuffer, byteCount: UInt64, on device: DeviceBox,
    importing imported: UnsafeRawPointer? = nil, isInPlace: Bool = false
  ) {
    self.buffer = buffer
    self.byteCount = byteCount
    self.device = device
    self.imported = imported
    isReadOnly = imported != nil || buffer.isReadOnly
    base = isInPlace ? UInt64(UInt(bitPattern: imported)) : 0
  }

  func vacate() { buffer = nil }

  func write(
    _ source: UnsafeRawPointer, byteCount count: UInt64, at offset: UInt64
  ) throws(PluginError) {
    guard !isReadOnly else { throw .invalidArgument("the buffer is read-only") }
    let length = try check(count, at: offset)
    if length > 0 {
      try open().write(UnsafeRawBufferPointer(start: source, count: length), at: offset)
    }
  }

  func read(
    into destination: UnsafeMutableRawPointer, byteCount count: UInt64, at offset: UInt64
  ) throws(PluginError) {
    let length = try check(count, at: offset)
    if length > 0 {
      try open().read(
        into: UnsafeMutableRawBufferPointer(start: destination, count: length), at: offset)
    }
  }

  /// True if `count` bytes from `offset` lie inside.
  func holds(_ count: UInt64, at offset: UInt64) -> Bool {
    offset <= byteCount && count <= byteCount - offset
  }

  /// True if what starts at `offset` starts at a multiple of `alignment` bytes.
  func isAligned(to alignment: UInt64, at offset: UInt64) -> Bool {
    (base &+ offset).isMultiple(of: alignment)
  }

  /// A piece that is known to lie inside.
  func place(at offset: UInt64, byteCount count: UInt64) throws(PluginError) -> Place {
    Place(buffer: try open(), offset: offset, byteCount: count)
  }

  /// A piece of imported memory, known to lie inside, copied into a buffer of its own; nil if the
  /// buffer is not imported.
  func copy(at offset: UInt64, byteCount count: UInt64) throws(PluginError) -> Place? {
    guard let imported, let start = Int(exactly: offset), let length = Int(exactly: count) else {
      return nil
    }
    let piece = UnsafeRawBufferPointer(start: imported + start, count: length)
    return Place(buffer: try device.makeBuffer(copying: piece), offset: 0, byteCount: count)
  }

  private func open() throws(PluginError) -> any BackendBuffer {
    guard let buffer else { throw .invalidArgument("the buffer's device has been closed") }
    return buffer
  }

  private func check(_ count: UInt64, at offset: UInt64) throws(PluginError) -> Int {
    guard holds(count, at: offset), let length = Int(exactly: count) else {
      throw .invalidArgument(
        "\(count) bytes at \(offset) lie outside a buffer of \(byteCount) bytes")
    }
    return length
  }
}
