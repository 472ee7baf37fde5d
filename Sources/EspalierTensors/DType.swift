/// The element type of a tensor in host memory or in a file.
public enum DType: String, Sendable, CaseIterable, Codable {
  case float32 = "F32"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case int32 = "I32"
  case int64 = "I64"
  case uint8 = "U8"
  case float64 = "F64"

  /// Bytes of one element.
  public var byteCount: Int {
    switch self {
    case .uint8: 1
    case .float16, .bfloat16: 2
    case .float32, .int32: 4
    case .int64, .float64: 8
    }
  }

  /// True for the storage types of weights and activations: f32, f16 and bf16.
  public var isFloatingStorage: Bool {
    self == .float32 || self == .float16 || self == .bfloat16
  }
}
