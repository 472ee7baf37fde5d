/// How a workgroup of the tiled kernels divides its work; the constants of `attention_tiles.glsl`.
struct AttentionTiles: Sendable {
  /// Rows of a workgroup: queries, or keys where their gradients are computed.
  let rows: Int
  /// Rows of the other operand at a time.
  let columns: Int
  /// Values of the specialisation constants 0 to 11.
  let constants: [UInt32]
  let groupSize: Int

  /// Picks sizes for `rowCount` rows and `columnCount` columns of each head.
  ///
  /// - Parameter sumCount: Result tiles that stay in registers.
  init(
    _ shape: AttentionShape, rowCount: Int, columnCount: Int, sumCount: Int,
    on limits: DeviceLimits
  ) {
    let size = limits.groupSize(128)
    let vectors = (shape.width + 3) / 4
    let columnLanes = min(vectors <= 64 ? 16 : 32, size)
    let laneVectors = (vectors + columnLanes - 1) / columnLanes
    let rowGroups = size / columnLanes

    // Sixteen vec4 of results keep an invocation within its registers; few rows make many workgroups.
    var laneRows = 8
    while laneRows > 1 {
      let groups =
        shape.headCount * ((rowCount + laneRows * rowGroups - 1) / (laneRows * rowGroups))
      let isTooLarge = laneRows * laneVectors * sumCount > Self.registerVectors
      guard isTooLarge || (laneRows > 2 && groups < Self.wantedGroups) else { break }
      laneRows /= 2
    }
    let rows = laneRows * rowGroups

    // Wide tiles load and wait less, narrow ones compute less padding: about what an invocation spends.
    let candidates = [4, 2, 1].map { columnLanes * $0 }.filter {
      Self.sharedBytes(rows: rows, columns: $0, vectors: vectors)
        <= min(limits.sharedMemoryBytes, Self.wantedSharedBytes)
    }
    func cost(_ columns: Int) -> Int {
      let laneColumns = columns / columnLanes
      let tiles = (columnCount + columns - 1) / columns
      return tiles * (32 + 4 * (laneRows + laneColumns) + 8 * laneRows * laneColumns)
    }
    let columns = candidates.min { cost($0) < cost($1) } ?? columnLanes
    let staged = Self.stagedRows(rows: rows, columns: columns, vectors: vectors)
    self.rows = rows
    self.columns = columns
    groupSize = size
    constants = [
      size, 1, 1, shape.width, rows, columnLanes, laneRows, columns / columnLanes, staged,
      Self.stageSize(rows: rows, columns: columns, vectors: vectors), shape.isCausal ? 1 : 0,
      sumCount,
    ].map { UInt32($0) }
  }

  /// Workgroups for `rowCount` rows of each head.
  func groupCount(_ shape: AttentionShape, rowCount: Int) -> Int {
    shape.headCount * ((rowCount + rows - 1) / rows)
  }

  private static let registerVectors = 16
  private static let wantedGroups = 512
  private static let wantedSharedBytes = 20 << 10

  /// Rows that `accumulate` stages: as many as fit where the slices for `products` are, at least 4.
  private static func stagedRows(rows: Int, columns: Int, vectors: Int) -> Int {
    var staged = columns
    while staged > 4 && staged * vectors > (rows + columns) * 5 { staged /= 2 }
    return staged
  }

  /// In vec4.
  private static func stageSize(rows: Int, columns: Int, vectors: Int) -> Int {
    max(
      (rows + columns) * 5,
      stagedRows(rows: rows, columns: columns, vectors: vectors) * vectors)
  }

  private static func sharedBytes(rows: Int, columns: Int, vectors: Int) -> Int {
    16 * (stageSize(rows: rows, columns: columns, vectors: vectors) + rows * (columns / 4 + 1))
      + 1024
  }
}
