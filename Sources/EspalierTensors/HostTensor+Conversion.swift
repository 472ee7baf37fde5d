import CEspalierRuntime

extension HostTensor {
  /// All elements as floats, whatever the storage type; f64 and integers are rounded to nearest.
  public func floats() -> [Float] {
    let n = count
    return withUnsafeBytes { source in
      [Float](unsafeUninitializedCapacity: n) { target, written in
        if let from = source.baseAddress, let to = target.baseAddress {
          switch dtype {
          case .float32: UnsafeMutableRawPointer(to).copyMemory(from: from, byteCount: n * 4)
          case .float16: espalier_f16_to_f32(from, to, n)
          case .bfloat16: espalier_bf16_to_f32(from, to, n)
          case .int32:
            for k in 0..<n {
              to[k] = Float(source.loadUnaligned(fromByteOffset: k * 4, as: Int32.self))
            }
          case .int64:
            for k in 0..<n {
              to[k] = Float(source.loadUnaligned(fromByteOffset: k * 8, as: Int64.self))
            }
          case .float64:
            for k in 0..<n {
              to[k] = Float(source.loadUnaligned(fromByteOffset: k * 8, as: Double.self))
            }
          case .uint8: for k in 0..<n { to[k] = Float(source[k]) }
          }
        }
        written = n
      }
    }
  }

  /// All elements of an integer tensor; floats are truncated toward zero, values beyond the range clamped.
  public func integers() -> [Int] {
    let n = count
    return withUnsafeBytes { source in
      switch dtype {
      case .int32: (0..<n).map { Int(source.loadUnaligned(fromByteOffset: $0 * 4, as: Int32.self)) }
      case .int64: (0..<n).map { Int(source.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self)) }
      case .uint8: (0..<n).map { Int(source[$0]) }
      case .float32, .float16, .bfloat16, .float64:
        floats().map { Int(exactly: $0.rounded(.towardZero)) ?? 0 }
      }
    }
  }

  /// The tensor in another floating storage type, round to nearest even; `self` if it already has it.
  ///
  /// - Precondition: both types are f32, f16 or bf16, or equal.
  public func converted(to target: DType) -> HostTensor {
    if target == dtype { return self }
    precondition(target.isFloatingStorage, "cannot convert to \(target)")
    let values = floats()
    let result = HostTensor(dtype: target, shape: shape)
    result.withUnsafeMutableBytes { bytes in
      values.withUnsafeBufferPointer { source in
        guard let from = source.baseAddress, let to = bytes.baseAddress else { return }
        switch target {
        case .float16: espalier_f32_to_f16(from, to, values.count)
        case .bfloat16: espalier_f32_to_bf16(from, to, values.count)
        default: to.copyMemory(from: from, byteCount: values.count * 4)
        }
      }
    }
    return result
  }

  /// The axes in another order, copied: `permuted([0, 2, 3, 1])` turns NCHW into NHWC.
  public func permuted(_ order: [Int]) -> HostTensor {
    precondition(order.sorted() == Array(0..<shape.rank), "\(order) does not permute \(shape)")
    let result = HostTensor(dtype: dtype, shape: Shape(order.map { shape.dims[$0] }))
    var strides = [Int](repeating: 1, count: shape.rank)
    for axis in stride(from: shape.rank - 2, through: 0, by: -1) {
      strides[axis] = strides[axis + 1] * shape.dims[axis + 1]
    }
    let steps = order.map { strides[$0] }
    let size = dtype.byteCount
    result.withUnsafeMutableBytes { to in
      withUnsafeBytes { from in
        guard let target = to.baseAddress, let source = from.baseAddress else { return }
        var index = [Int](repeating: 0, count: order.count)
        var offset = 0
        for k in 0..<count {
          (target + k * size).copyMemory(from: source + offset * size, byteCount: size)
          var axis = order.count - 1
          while axis >= 0 {
            index[axis] += 1
            offset += steps[axis]
            if index[axis] < result.shape.dims[axis] { break }
            offset -= index[axis] * steps[axis]
            index[axis] = 0
            axis -= 1
          }
        }
      }
    }
    return result
  }

  /// NCHW to NHWC; the graph's layout of feature maps.
  public func channelsLast() -> HostTensor { permuted([0, 2, 3, 1]) }

  /// NHWC to NCHW; the files' layout of feature maps.
  public func channelsFirst() -> HostTensor { permuted([0, 3, 1, 2]) }
}
