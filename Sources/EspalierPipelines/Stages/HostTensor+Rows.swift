import EspalierTensors

/// The first axis of tensors as a list.
extension HostTensor {
  /// Tensors of one shape under a new first axis.
  ///
  /// - Precondition: at least one; shapes and types are equal.
  static func stacked(_ parts: [HostTensor]) -> HostTensor {
    joined(parts, shape: Shape([parts.count] + parts[0].shape.dims))
  }

  /// Tensors of one shape one after the other along the first axis.
  ///
  /// - Precondition: at least one; shapes and types are equal.
  static func concatenated(_ parts: [HostTensor]) -> HostTensor {
    let dims = parts[0].shape.dims
    return joined(parts, shape: Shape([parts.count * dims[0]] + dims.dropFirst()))
  }

  /// The element of the first axis, without that axis.
  func row(_ index: Int) -> HostTensor {
    let result = HostTensor(dtype: dtype, shape: Shape(Array(shape.dims.dropFirst())))
    let start = index * result.byteCount
    result.withUnsafeMutableBytes { target in
      withUnsafeBytes {
        target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start..<start + target.count]))
      }
    }
    return result
  }

  private static func joined(_ parts: [HostTensor], shape: Shape) -> HostTensor {
    let first = parts[0]
    let result = HostTensor(dtype: first.dtype, shape: shape)
    result.withUnsafeMutableBytes { target in
      for (k, part) in parts.enumerated() {
        precondition(part.shape == first.shape && part.dtype == first.dtype, "unequal parts")
        let start = k * first.byteCount
        part.withUnsafeBytes {
          UnsafeMutableRawBufferPointer(rebasing: target[start..<start + first.byteCount])
            .copyMemory(from: $0)
        }
      }
    }
    return result
  }
}
