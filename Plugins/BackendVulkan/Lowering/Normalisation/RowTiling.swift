/// How `Include/rows.glsl` divides the rows of a matrix [R,C] among workgroups.
struct RowTiling: Sendable {
  let rows: Int
  let width: Int
  /// Rows are read by fours.
  let isWide: Bool
  /// Invocations of a workgroup.
  let size: Int
  /// Pieces of a row that an invocation holds.
  let pieces: Int
  /// All invocations hold as many.
  let isEven: Bool
  /// Rows that a workgroup takes in turn.
  let rowCount: Int

  /// The most pieces that a shader is compiled for.
  private static let mostPieces = 32

  /// Fails where a row is too long to be held by a workgroup.
  init?(rows: Int, width: Int, limits: DeviceLimits) {
    self.rows = rows
    self.width = width
    isWide = width % 4 == 0
    let all = isWide ? width / 4 : width
    // On a CPU, memory is as near as registers and every barrier costs.
    let comfortable = limits.isSoftware ? 20 : 5
    size = limits.groupSize(min(1024, all.dividedUp(by: comfortable).nextPowerOfTwo))
    pieces = all.dividedUp(by: size)
    isEven = all % size == 0
    guard pieces <= Self.mostPieces else { return nil }
    rowCount = max(1, min(16, rows / limits.workgroupTarget))
  }

  var workgroups: Int { rows.dividedUp(by: rowCount) }

  /// Specialisation constants 0 to 5.
  var constants: [UInt32] {
    [UInt32(size), 1, 1, isWide ? 1 : 0, UInt32(pieces), isEven ? 1 : 0]
  }

  /// The shader's rows, width and row_count.
  func append(to push: inout PushConstants) {
    for value in [rows, width, rowCount] { push.uint(value) }
  }
}
