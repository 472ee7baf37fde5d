public import EspalierTensors

/// The storage type and shape of a value in the graph; feature maps are NHWC.
public struct TensorSpec: Hashable, Sendable, CustomStringConvertible {
  public let dtype: DType
  public let shape: Shape

  public init(_ dtype: DType = .float32, _ shape: Shape) {
    self.dtype = dtype
    self.shape = shape
  }

  /// Bytes of the dense tensor.
  public var byteCount: Int { shape.count * dtype.byteCount }

  public var description: String { "\(dtype.rawValue)\(shape)" }
}
