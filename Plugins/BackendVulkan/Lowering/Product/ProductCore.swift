/// How the operands of a product meet; the shader definition `CORE`.
enum ProductCore: Int {
  /// Tiles in shared memory, for GPUs.
  case shared = 0
  /// Tiles in the registers of a subgroup, for software devices.
  case subgroup = 1
  /// As `subgroup`, with the operands read through texel buffers.
  case texels = 2
  /// Cooperative matrices, where both operands hold f16.
  case matrix = 3

  /// The fastest core that can make `form` on a device.
  static func choose(for form: ProductForm, on limits: DeviceLimits) -> ProductCore {
    if limits.hasCooperativeMatrix, limits.hasSubgroupOperations, form.isHalf, form.rows >= 16,
      form.columns >= 16, limits.maxInvocations >= 4 * limits.subgroupSize
    {
      return .matrix
    }
    guard limits.isSoftware, limits.hasSubgroupOperations,
      [4, 8, 16].contains(limits.subgroupSize)
    else { return .shared }
    let isRead = limits.hasTexelFetch && form.a.hasQuads && form.b.hasQuads
    return isRead ? .texels : .subgroup
  }
}
