public import EspalierTensors

/// A tensor to be written whose bytes need not be in memory at once.
public struct StreamedTensor {
  /// Takes the next bytes of a tensor.
  public typealias Sink = (UnsafeRawBufferPointer) throws -> Void

  public let name: String
  public let dtype: DType
  public let shape: Shape
  let produce: (Sink) throws -> Void

  /// - Parameter produce: Hands exactly `byteCount` bytes to its argument, in pieces and in order.
  public init(
    name: String, dtype: DType, shape: Shape, produce: @escaping (_ write: Sink) throws -> Void
  ) {
    self.name = name
    self.dtype = dtype
    self.shape = shape
    self.produce = produce
  }

  /// A tensor that is in memory or in a mapped file.
  public init(name: String, _ tensor: HostTensor) {
    self.init(name: name, dtype: tensor.dtype, shape: tensor.shape) { write in
      try tensor.withUnsafeBytes { try write($0) }
    }
  }

  public var byteCount: Int { shape.count * dtype.byteCount }
}
