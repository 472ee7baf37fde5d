/// A tile of a product's result: what a workgroup makes, or a subgroup on software devices.
struct ProductTile: Equatable {
  /// Workgroup size along x and y.
  var groupSize: [Int]
  /// The core's constants; see `Shaders/Include/product_shared.glsl` and `product_subgroup.glsl`.
  var coreRows: Int
  var coreColumns: Int
  var coreDepth: Int
  var rows: Int
  var columns: Int
  /// Tiles that a workgroup makes.
  var perGroup: Int

  /// Elements of the reduction in a step.
  var depth: Int { 4 * coreDepth }

  /// How many tiles cover a result.
  func count(for form: ProductForm) -> Int {
    ((form.rows + rows - 1) / rows) * ((form.columns + columns - 1) / columns)
  }

  static func choose(
    for form: ProductForm, core: ProductCore, on limits: DeviceLimits
  ) -> ProductTile {
    switch core {
    case .matrix: return matrices(on: limits)
    case .subgroup, .texels: return registers(for: form, core: core, on: limits)
    case .shared: return shared(for: form, on: limits)
    }
  }

  /// Tiles in shared memory.
  private static func shared(for form: ProductForm, on limits: DeviceLimits) -> ProductTile {
    if form.rows <= 32 { return shared(16, 8, rowQuads: 1) }
    guard limits.maxInvocations >= 256 else { return shared(16, 8, rowQuads: 2) }
    let large = shared(16, 16, rowQuads: 2)
    return large.count(for: form) >= 96 ? large : shared(16, 16, rowQuads: 1)
  }

  /// x·y invocations with `rowQuads`·4 rows by 4 columns each, at most 13 KB of shared memory.
  private static func shared(_ x: Int, _ y: Int, rowQuads: Int) -> ProductTile {
    ProductTile(
      groupSize: [x, y], coreRows: rowQuads, coreColumns: 1, coreDepth: 4, rows: 4 * rowQuads * y,
      columns: 4 * x, perGroup: 1)
  }

  /// Four subgroups with a quarter of 64 × 64 each, as 2 × 2 matrices.
  private static func matrices(on limits: DeviceLimits) -> ProductTile {
    ProductTile(
      groupSize: [4 * limits.subgroupSize, 1], coreRows: 1, coreColumns: 1, coreDepth: 8, rows: 64,
      columns: 64, perGroup: 1)
  }

  /// Tiles in the registers of a subgroup.
  ///
  /// A step of 16 reads whole cache lines of an operand, but takes a driver longer to compile.
  private static func registers(
    for form: ProductForm, core: ProductCore, on limits: DeviceLimits
  ) -> ProductTile {
    let lanes = limits.subgroupSize
    let perGroup = min(4, limits.maxInvocations / lanes)
    let isLong = core == .texels && lanes > 4 && form.depth % 16 == 0
    let rowVectors = lanes == 4 || form.rows <= lanes ? 1 : 2
    return ProductTile(
      groupSize: [perGroup * lanes, 1], coreRows: rowVectors, coreColumns: lanes,
      coreDepth: isLong ? 4 : 1, rows: rowVectors * lanes, columns: 4 * lanes, perGroup: perGroup)
  }
}
