public import EspalierTensors

extension HostTensor {
  /// The index of the first infinity or NaN; nil if all is finite or the type holds integers.
  public func firstNonFinite() -> Int? {
    withUnsafeBytes { bytes in
      switch dtype {
      case .float16: firstFullExponent(in: bytes, as: UInt16.self, exponent: 0x7C00)
      case .bfloat16: firstFullExponent(in: bytes, as: UInt16.self, exponent: 0x7F80)
      case .float32: firstFullExponent(in: bytes, as: UInt32.self, exponent: 0x7F80_0000)
      case .float64:
        firstFullExponent(in: bytes, as: UInt64.self, exponent: 0x7FF0_0000_0000_0000)
      case .int32, .int64, .uint8: nil
      }
    }
  }
}

/// A number is infinite or NaN exactly if all bits of its exponent are set: adding the exponent's
/// lowest bit then carries into the sign. A block is summed up without branches, so that the loop
/// is vectorised.
@inline(__always)
private func firstFullExponent<Bits: FixedWidthInteger & UnsignedInteger>(
  in bytes: UnsafeRawBufferPointer, as _: Bits.Type, exponent: Bits
) -> Int? {
  let values = bytes.assumingMemoryBound(to: Bits.self)
  let lowest = exponent & ~(exponent &- 1)
  let sign: Bits = ~(Bits.max >> 1)
  let block = 16384
  var start = 0
  while start < values.count {
    let end = min(start + block, values.count)
    var carries: Bits = 0
    for k in start..<end { carries |= (values[k] & exponent) &+ lowest }
    if carries & sign != 0 {
      return (start..<end).first { values[$0] & exponent == exponent }
    }
    start = end
  }
  return nil
}

extension Checkpoint {
  /// The first tensor by name, and the element in it, that is infinite or NaN; nil if all weights
  /// are finite.
  ///
  /// Tensors of types that Espalier does not compute with are passed over. Reads all weights.
  public func firstNonFinite() throws(CheckpointError) -> (tensor: String, index: Int)? {
    for name in entries.keys.sorted() where entries[name]?.dtype != nil {
      if let index = try tensor(name).firstNonFinite() { return (name, index) }
    }
    return nil
  }

  /// The tensor, its numbers checked.
  ///
  /// - Throws: as `tensor(_:)`; `CheckpointError.nonFinite` for an infinity or NaN.
  public func finiteTensor(_ name: String) throws(CheckpointError) -> HostTensor {
    let tensor = try tensor(name)
    if let index = tensor.firstNonFinite() {
      throw .nonFinite(
        path: file(of: name) ?? path, tensor: source(of: name) ?? name, index: index)
    }
    return tensor
  }
}
