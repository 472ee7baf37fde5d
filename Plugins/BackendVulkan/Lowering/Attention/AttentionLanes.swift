import EspalierABI

/// How a subgroup of the kernels for CPU drivers divides its work; the constants of
/// `attention_lanes.glsl`.
struct AttentionLanes: Sendable {
  /// Values of the specialisation constants 0 to 8.
  let constants: [UInt32]
  private let rows: Int
  private let chunks: Int

  /// Nil where the device is none of those that the kernels are for, or rows are not whole quads, 16 bytes.
  ///
  /// - Parameters:
  ///   - sumCount: Result tiles that stay in registers.
  ///   - mostVectors: Vectors of sums up to which one lane computes the whole width; all are unrolled, and
  ///     compiling takes time.
  init?(
    _ shape: AttentionShape, dtype: Int32, sumCount: Int, mostVectors: Int = fewVectors,
    on limits: DeviceLimits
  ) {
    let vectorsOfQuad = dtype == ESP_DTYPE_F16 ? 2 : 1
    guard limits.isSoftware, limits.hasSubgroupOperations,
      limits.subgroupSize % 2 == 0, limits.subgroupSize <= 8,
      shape.width % (4 * vectorsOfQuad) == 0
    else { return nil }
    let vectors = shape.width / 4
    let candidates = limits.compilesSlowly ? [] : [4, 2]
    let laneRows = candidates.first { $0 * vectors * sumCount <= Self.fewVectors } ?? 1
    var chunk = vectors
    while chunk * laneRows * sumCount > mostVectors || vectors % chunk != 0
      || chunk % vectorsOfQuad != 0
    {
      chunk -= 1
    }
    let burst = [4, 2].first { vectors % $0 == 0 } ?? 1
    rows = limits.subgroupSize * laneRows
    chunks = vectors / chunk
    constants = [
      limits.subgroupSize, 1, 1, shape.width, limits.subgroupSize, laneRows, chunk, burst, sumCount,
    ].map { UInt32($0) }
  }

  /// Vectors of sums up to which a lane takes more rows.
  static let fewVectors = 80

  /// Workgroups for `rowCount` rows of each head.
  func groupCount(_ shape: AttentionShape, rowCount: Int) -> Int {
    shape.headCount * ((rowCount + rows - 1) / rows) * chunks
  }
}
