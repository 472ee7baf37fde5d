/// Storage types of the boundary, `ESP_DTYPE_…`.
public enum StorageType: Int32, CaseIterable, Sendable {
  case float32 = 0
  case float16 = 1
  case bfloat16 = 2
  case int32 = 3

  /// Bytes of one element.
  public var byteCount: Int { self == .float16 || self == .bfloat16 ? 2 : 4 }

  /// Short, as in tables: f32.
  public var name: String {
    switch self {
    case .float32: "f32"
    case .float16: "f16"
    case .bfloat16: "bf16"
    case .int32: "i32"
    }
  }
}
