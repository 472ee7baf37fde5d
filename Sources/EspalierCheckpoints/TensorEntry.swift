public import EspalierTensors

/// What the header of a safetensors file says about one tensor.
public struct TensorEntry: Sendable, Hashable {
  /// The element type in the spelling of safetensors: `F16`, `F8_E4M3`, `BOOL`, …
  public let dtypeName: String
  public let shape: Shape
  /// Where the elements lie, in bytes from the start of the file.
  public let byteRange: Range<Int>

  public init(dtypeName: String, shape: Shape, byteRange: Range<Int>) {
    self.dtypeName = dtypeName
    self.shape = shape
    self.byteRange = byteRange
  }

  /// The element type; nil for one that is listed but that Espalier does not compute with.
  public var dtype: DType? { DType(rawValue: dtypeName) }

  /// One of `count` equal parts along the first axis; nil if it has no such parts.
  public func rows(_ index: Int, of count: Int) -> TensorEntry? {
    guard shape.rank > 0, (0..<count).contains(index), shape[0] % count == 0,
      byteRange.count % count == 0
    else { return nil }
    let size = byteRange.count / count
    let start = byteRange.lowerBound + index * size
    return TensorEntry(
      dtypeName: dtypeName, shape: Shape([shape[0] / count] + shape.dims.dropFirst()),
      byteRange: start..<start + size)
  }

  /// The same bytes under a shape of equally many elements.
  public func reshaped(_ shape: Shape) -> TensorEntry {
    precondition(shape.count == self.shape.count, "cannot reshape \(self.shape) to \(shape)")
    return TensorEntry(dtypeName: dtypeName, shape: shape, byteRange: byteRange)
  }

  /// Bits of one element of every type that safetensors knows.
  static let bitCounts: [String: Int] = [
    "BOOL": 8, "U8": 8, "I8": 8, "U16": 16, "I16": 16, "U32": 32, "I32": 32, "U64": 64, "I64": 64,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "F16": 16, "BF16": 16, "F32": 32, "F64": 64, "C64": 64,
  ]
}
