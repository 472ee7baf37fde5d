import VulkanShaders

/// The pieces in which a kernel with `Include/units.glsl` moves rows.
struct MoveUnit {
  /// 2, 4, 8 or 16: the largest that divides every row's bytes.
  let byteCount: Int
  private let elementBytes: Int

  /// - Parameters:
  ///   - lengths: In elements: every row and every offset into one.
  ///   - operand: Any tensor of the element type.
  init(dividing lengths: [Int], of operand: Operand) {
    let elementBytes = Int(operand.region.byteCount) / operand.elementCount
    self.elementBytes = elementBytes
    byteCount =
      [16, 8, 4].first { size in
        lengths.allSatisfy { ($0 * elementBytes).isMultiple(of: size) }
      } ?? elementBytes
  }

  /// `length` elements in units.
  func count(_ length: Int) -> Int { length * elementBytes / byteCount }

  /// The variant of a shader that moves such units.
  func variant(_ name: String, on limits: DeviceLimits) -> ShaderVariant {
    ShaderVariant(name, ["FETCH": limits.fetchVariant, "UNIT": byteCount])
  }
}
