import EspalierABI

/// Why activations in these operands cannot be stored on the device or mixed in one node, or nil.
///
/// All activations of a node share one storage type; only Cast mixes them.
func storageObjection(_ operands: [Operand?], on limits: DeviceLimits) -> String? {
  let present = operands.compactMap { $0 }
  guard let dtype = present.first?.dtype else { return nil }
  guard present.allSatisfy({ $0.dtype == dtype }) else {
    return "its activations are stored in different types"
  }
  switch dtype {
  case ESP_DTYPE_F32: return nil
  case ESP_DTYPE_F16: return limits.hasFloat16Storage ? nil : "the device has no 16-bit storage"
  default: return "activations of type \(dtype) are not offered"
  }
}

/// Why operands that are f32 by the boundary's rules (statistics, losses, gradients of parameters) are
/// not, or nil.
func float32Objection(_ operands: [Operand?]) -> String? {
  operands.compactMap { $0 }.allSatisfy { $0.dtype == ESP_DTYPE_F32 }
    ? nil : "an operand that must be f32 is not"
}

/// Why weights in these operands cannot be read, or nil.
func weightObjection(_ operands: [Operand?]) -> String? {
  let present = operands.compactMap { $0 }
  guard let dtype = present.first?.dtype else { return nil }
  guard present.allSatisfy({ $0.dtype == dtype }) else {
    return "its weights are stored in different types"
  }
  return (ESP_DTYPE_F32...ESP_DTYPE_BF16).contains(dtype)
    ? nil : "weights of type \(dtype) are not offered"
}

/// Why `act` is no activation, or nil.
func activationObjection(_ act: Int) -> String? {
  (Int(ESP_ACT_NONE)...Int(ESP_ACT_SIGMOID)).contains(act) ? nil : "activation \(act) is unknown"
}

extension Operand {
  /// The value of the shader definition `ACT` or `WEIGHT` for this operand's type.
  var storageVariant: Int { Int(dtype) }
}
