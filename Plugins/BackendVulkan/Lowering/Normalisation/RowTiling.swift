/// How `Include/rows.glsl` divides the rows of a matrix [R,C] among workgroups.
struct RowTiling: Sendable {
  let rows: Int
  let width: Int
  /// Rows are read by fours.
  let isWide: Bool
  /// Invocations of a workgroup.
  let size: Int
  /// Invocations that share a row.
  let lanes: Int
  /// Pieces of a row that an invocation holds.
  let vectors: Int
  /// Rows that an invocation takes in turn.
  let rowCount: Int

  /// Pieces that fit into registers, and the most that a shader is compiled for.
  private static let (comfortable, longest) = (5, 64)

  /// Fails where a row is too long to be held by a workgroup.
  init?(rows: Int, width: Int, limits: DeviceLimits) {
    self.rows = rows
    self.width = width
    isWide = width % 4 == 0
    let pieces = isWide ? width / 4 : width
    size = limits.groupSize(256)
    lanes = min(size, pieces.dividedUp(by: Self.comfortable).nextPowerOfTwo)
    vectors = pieces.dividedUp(by: lanes)
    guard vectors <= Self.longest else { return nil }
    let step = size / lanes
    rowCount = max(1, min(16, rows / (step * limits.workgroupTarget)))
  }

  var workgroups: Int { rows.dividedUp(by: size / lanes * rowCount) }

  /// Specialisation constants 0 to 5.
  var constants: [UInt32] {
    [UInt32(size), 1, 1, UInt32(lanes), isWide ? 1 : 0, UInt32(vectors)]
  }

  /// The shader's rows, width and row_count.
  func append(to push: inout PushConstants) {
    for value in [rows, width, rowCount] { push.uint(value) }
  }
}
