public import EspalierPluginKit

/// A run's history as lines of JSON, one `RunRow` each.
public final class RowFile {
  private let file: AppendedFile

  /// Opens the file, and first cuts off what does not belong to the run that goes on: rows after
  /// `resumeStep`, and a last line that a crash left incomplete.
  ///
  /// - Parameters:
  ///   - visit: Gets each row that is kept, in order.
  ///   - drop: Gets each row that is cut off.
  public init(
    _ folder: LogFolder, _ name: String, keepingUpTo resumeStep: Int64,
    visit: (RunRow) -> Void = { _ in }, drop: (RunRow) -> Void = { _ in }
  ) throws(PluginError) {
    let bytes = try folder.read(name) ?? []
    var kept = 0
    var isKept = true
    // The piece after the last line feed is no line.
    for line in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast() {
      let row = RunRow(line: line)
      isKept = isKept && (row?.step ?? .max) <= resumeStep
      guard let row else { continue }
      isKept ? visit(row) : drop(row)
      if isKept { kept = line.endIndex + 1 }
    }
    file = try AppendedFile(folder, name)
    try file.cut(to: kept)
  }

  public func append(_ row: RunRow) throws(PluginError) { try file.append(Array(row.line.utf8)) }

  /// Brings the rows to the disk.
  public func sync() throws(PluginError) { try file.sync() }
}
