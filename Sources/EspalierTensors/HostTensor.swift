import CEspalierRuntime

/// A dense row-major tensor in host memory: owned, or a view into a mapped file.
///
/// Shared by reference. Whoever makes a tensor may fill it; once it has been handed on, nobody writes.
// SAFETY: the memory is written only by its maker before the tensor is shared (see above); the owner
// (allocation or mapped file) lives as long as the tensor.
public final class HostTensor: @unchecked Sendable {
  public let dtype: DType
  public let shape: Shape
  private let base: UnsafeMutableRawPointer
  private let mappedFile: MappedFile?
  /// Where the tensor begins in the mapped file.
  private let fileOffset: Int

  /// The number of elements.
  public var count: Int { shape.count }
  /// The size in bytes.
  public var byteCount: Int { shape.count * dtype.byteCount }
  /// True if the bytes belong to a mapped file and must not be written.
  public var isMapped: Bool { mappedFile != nil }

  /// A new tensor of zeros.
  public init(dtype: DType = .float32, shape: Shape) {
    self.dtype = dtype
    self.shape = shape
    let bytes = max(shape.count * dtype.byteCount, 1)
    base = .allocate(byteCount: bytes, alignment: 64)
    base.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    mappedFile = nil
    fileOffset = 0
  }

  /// A new tensor whose elements are undefined until its maker has written them.
  public init(unwritten dtype: DType, shape: Shape) {
    self.dtype = dtype
    self.shape = shape
    base = .allocate(byteCount: max(shape.count * dtype.byteCount, 1), alignment: 64)
    mappedFile = nil
    fileOffset = 0
  }

  /// A new tensor with these values.
  ///
  /// - Precondition: `values.count == shape.count`.
  public convenience init(_ values: [Float], shape: Shape) {
    precondition(values.count == shape.count, "\(values.count) values for shape \(shape)")
    self.init(dtype: .float32, shape: shape)
    withUnsafeMutableBytes { target in
      values.withUnsafeBytes { target.copyMemory(from: $0) }
    }
  }

  /// A new tensor with these values.
  ///
  /// - Precondition: `values.count == shape.count`.
  public convenience init(_ values: [Int32], shape: Shape) {
    precondition(values.count == shape.count, "\(values.count) values for shape \(shape)")
    self.init(dtype: .int32, shape: shape)
    withUnsafeMutableBytes { target in
      values.withUnsafeBytes { target.copyMemory(from: $0) }
    }
  }

  /// A view into a mapped file, without a copy.
  ///
  /// - Precondition: the bytes lie inside the file; the reader of the file has checked it.
  public init(mapping file: MappedFile, offset: Int, dtype: DType, shape: Shape) {
    let bytes = shape.count * dtype.byteCount
    precondition(offset >= 0 && offset + bytes <= file.bytes.count, "tensor outside its file")
    self.dtype = dtype
    self.shape = shape
    mappedFile = file
    fileOffset = offset
    if let start = file.bytes.baseAddress {
      base = UnsafeMutableRawPointer(mutating: start + offset)
    } else {
      base = .allocate(byteCount: 1, alignment: 1)  // an empty file: nothing is ever read from it
    }
  }

  deinit {
    if mappedFile == nil { base.deallocate() }
  }

  /// Takes a mapped tensor's pages out of memory until they are read again; an owned tensor stays as it is.
  public func releasePages() {
    mappedFile?.releasePages(fileOffset..<fileOffset + byteCount)
  }

  /// Has a mapped tensor read from its file meanwhile; for one that will be read soon.
  public func fetchPages() {
    mappedFile?.fetchPages(fileOffset..<fileOffset + byteCount)
  }

  /// Calls `body` with the bytes; the pointer must not escape.
  public func withUnsafeBytes<R, E: Error>(
    _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    try body(UnsafeRawBufferPointer(start: base, count: byteCount))
  }

  /// Calls `body` with the writable bytes; only for whoever made the tensor, before it is shared.
  ///
  /// - Precondition: the tensor is not a view into a file.
  public func withUnsafeMutableBytes<R, E: Error>(
    _ body: (UnsafeMutableRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    precondition(mappedFile == nil, "a mapped tensor is read-only")
    return try body(UnsafeMutableRawBufferPointer(start: base, count: byteCount))
  }

  /// Calls `body` with the elements of a float32 tensor.
  ///
  /// - Precondition: `dtype == .float32`, and the bytes are aligned.
  public func withFloats<R, E: Error>(
    _ body: (UnsafeBufferPointer<Float>) throws(E) -> R
  ) throws(E) -> R {
    precondition(dtype == .float32, "\(dtype) is not float32")
    return try body(
      UnsafeBufferPointer(start: base.assumingMemoryBound(to: Float.self), count: count))
  }

  /// Calls `body` with the writable elements of a float32 tensor; see `withUnsafeMutableBytes`.
  public func withMutableFloats<R, E: Error>(
    _ body: (UnsafeMutableBufferPointer<Float>) throws(E) -> R
  ) throws(E) -> R {
    precondition(dtype == .float32 && mappedFile == nil, "not a writable float32 tensor")
    return try body(
      UnsafeMutableBufferPointer(start: base.assumingMemoryBound(to: Float.self), count: count))
  }

  /// The same bytes under another shape of the same count; shares nothing, copies.
  public func reshaped(_ shape: Shape) -> HostTensor {
    precondition(shape.count == count, "cannot reshape \(self.shape) to \(shape)")
    let result = HostTensor(dtype: dtype, shape: shape)
    result.withUnsafeMutableBytes { target in
      withUnsafeBytes { target.copyMemory(from: $0) }
    }
    return result
  }
}
