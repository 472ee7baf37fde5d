/// How a product is cut into workgroups.
struct ProductPlan: Equatable {
  let core: ProductCore
  let tile: ProductTile
  /// Workgroups.
  let groups: Int
  let steps: Int
  /// Parts of the reduction that are summed by a second pass.
  let splits: Int
  let stepsPerSplit: Int

  init(_ form: ProductForm, on limits: DeviceLimits) {
    core = ProductCore.choose(for: form, on: limits)
    tile = ProductTile.choose(for: form, core: core, on: limits)
    steps = form.taps * Self.pieces(of: form.depth, by: tile.depth)
    let tiles = tile.count(for: form)
    stepsPerSplit = Self.pieces(
      of: steps, by: Self.splits(of: steps * tile.depth, tiles: tiles, form: form, core: core))
    splits = Self.pieces(of: steps, by: stepsPerSplit)
    groups = Self.pieces(of: tiles * splits, by: tile.perGroup)
  }

  /// Bytes of the partial sums, 0 where the reduction is not split.
  func partialBytes(_ form: ProductForm) -> UInt64 {
    splits == 1 ? 0 : UInt64(splits) * UInt64(form.rows) * UInt64(form.columns) * 4
  }

  /// Splitting gives a device with many cores work where the result has few tiles.
  private static func splits(
    of depth: Int, tiles: Int, form: ProductForm, core: ProductCore
  ) -> Int {
    let wanted = core == .shared || core == .matrix ? 192 : 16
    let leastDepth = 128
    let mostPartials = 1 << 24
    return max(
      1, min(wanted / tiles, depth / leastDepth, mostPartials / (form.rows * form.columns)))
  }

  private static func pieces(of count: Int, by size: Int) -> Int { (count + size - 1) / size }
}
