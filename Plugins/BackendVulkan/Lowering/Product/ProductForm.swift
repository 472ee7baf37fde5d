import EspalierABI

/// What a matrix product y[rows, columns] = a·bᵀ is made of, for `Shaders/Include/product.glsl`.
struct ProductForm {
  /// How one of the two operands lies in memory.
  struct Side {
    /// Its consecutive elements belong to consecutive rows (columns) of the result, not to
    /// consecutive depths.
    var isAcross: Bool
    /// How many elements lie in a row.
    var run: Int
    /// Read in `b`'s place: the dtype; `a` is always an activation.
    var dtype: Int32
    var region: Region
    /// The type that the values had before they were packed, if they were.
    var source: Int32?

    /// Four elements may be read at once.
    var hasQuads: Bool { run % 4 == 0 }
  }

  var rows: Int
  var columns: Int
  /// The length of the reduction; a convolution's is that of one tap.
  var depth: Int
  /// How many such lengths follow each other; a step stays within one.
  var taps = 1
  var a: Side
  var b: Side

  /// Both operands' values are f16, whatever type holds them.
  var isHalf: Bool {
    (a.source ?? a.dtype) == ESP_DTYPE_F16 && (b.source ?? b.dtype) == ESP_DTYPE_F16
  }
}

/// Where a product goes and what is done to its sums: act(sum + bias + channel) + residual.
struct ProductResult {
  var y: Operand
  var bias: Operand?
  /// [rows / rowsPerSample, columns], added to the rows of a sample.
  var channel: Operand?
  var residual: Operand?
  var act = 0
  var rowsPerSample = 1
}
