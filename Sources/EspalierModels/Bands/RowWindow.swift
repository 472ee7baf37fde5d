/// The rows of a convolution's input that rows of its result need, and the rows of zeros that stand for what lies
/// outside the map.
struct RowWindow: Equatable {
  let rows: Range<Int>
  let top: Int
  let bottom: Int

  /// - Parameters:
  ///   - result: Rows of the result.
  ///   - padding: The convolution's, above and below.
  ///   - height: Of the input.
  init(
    of result: Range<Int>, kernel: Int = 3, stride: Int = 1,
    padding: (top: Int, bottom: Int) = (1, 1), height: Int
  ) {
    let first = result.lowerBound * stride - padding.top
    let end = (result.upperBound - 1) * stride - padding.top + kernel
    rows = max(first, 0)..<min(end, height)
    top = max(-first, 0)
    bottom = max(end - height, 0)
  }
}

/// The rows of a map that rows of a convolution of its doubled size need.
struct DoubledRowWindow: Equatable {
  /// Of the map.
  let rows: Range<Int>
  /// Of the convolution's result that can be computed from them: those asked for, or one more on a side.
  let result: Range<Int>
  /// Zeros above and below the doubled rows.
  let top: Int
  let bottom: Int

  /// - Parameters:
  ///   - result: Rows of the result of a 3×3 convolution.
  ///   - height: Of the map before it is doubled.
  init(of result: Range<Int>, height: Int) {
    let doubled = RowWindow(of: result, height: 2 * height).rows
    rows = doubled.lowerBound / 2..<(doubled.upperBound + 1) / 2
    // Not where the rows end at the map's border: a result that begins at row 1 reads no zeros.
    top = result.lowerBound == 0 ? 1 : 0
    bottom = result.upperBound == 2 * height ? 1 : 0
    self.result = 2 * rows.lowerBound + 1 - top..<2 * rows.upperBound - 1 + bottom
  }
}
