import CEspalierRuntime

extension CounterRandom {
  /// Writes a part of the stream as numbers uniform within `center` ± `halfWidth`, 24 bits each.
  ///
  /// Parts may be written in any order and by any thread: together they are the same numbers.
  ///
  /// - Parameters:
  ///   - target: Room for whole elements of the type.
  ///   - dtype: f32, or f16 or bf16 rounded from it.
  ///   - position: Where in the stream the part begins; a multiple of 4.
  public func fill(
    _ target: UnsafeMutableRawBufferPointer, as dtype: DType, from position: Int, center: Float,
    halfWidth: Float
  ) {
    precondition(dtype.isFloatingStorage && position % 4 == 0, "\(dtype) from \(position)")
    guard let base = target.baseAddress else { return }
    let count = target.count / dtype.byteCount
    withUnsafeTemporaryAllocation(of: Float.self, capacity: Self.piece) { piece in
      guard let values = piece.baseAddress else { return }
      for start in stride(from: 0, to: count, by: Self.piece) {
        let size = min(Self.piece, count - start)
        uniforms(
          values, size, from: position + start, low: center - halfWidth, width: 2 * halfWidth)
        let place = base + start * dtype.byteCount
        switch dtype {
        case .float16: espalier_f32_to_f16(values, place, size)
        case .bfloat16: espalier_f32_to_bf16(values, place, size)
        default: place.copyMemory(from: values, byteCount: size * 4)
        }
      }
    }
  }

  /// Numbers made at a time; their floats stay in the cache.
  private static let piece = 4096

  private func uniforms(
    _ target: UnsafeMutablePointer<Float>, _ count: Int, from position: Int, low: Float,
    width: Float
  ) {
    let scale = width * 0x1p-24
    for index in 0..<(count + 3) / 4 {
      let values = SIMD4<Float>(block(position / 4 + index) &>> 8) * scale + low
      for lane in 0..<min(4, count - 4 * index) { target[4 * index + lane] = values[lane] }
    }
  }
}
