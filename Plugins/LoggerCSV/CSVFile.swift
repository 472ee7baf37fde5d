import EspalierPluginKit
import LogFiles

/// The file behind the logger: appended row by row, or replaced as a whole without a moment in which
/// it is incomplete.
final class CSVFile {
  private static let name = "metrics.csv"
  private let folder: LogFolder
  private var file: AppendedFile?
  /// Where the last row starts.
  private var lastRow = 0

  /// - Throws: `PluginError` if the folder does not exist.
  init(directory: String) throws(PluginError) {
    folder = try LogFolder(directory, owner: "csv logger")
  }

  var path: String { folder.file(Self.name) }

  /// Renames a file that is there already to the first free `metrics.N.csv`.
  func moveAsideIfPresent() throws(PluginError) { try folder.moveAside([Self.name]) }

  /// All rows, the header first; empty if there is no file.
  func rows() throws(PluginError) -> [[String]] {
    try folder.read(Self.name).map(CSVText.rows) ?? []
  }

  /// Writes the rows beside the file and renames them into its place; later rows follow them.
  func replace(with rows: [[String]]) throws(PluginError) {
    let file = try AppendedFile(replacing: folder, Self.name)
    try file.append(Array(rows.dropLast().map(CSVText.line).joined().utf8))
    let lastRow = file.end
    try file.append(Array((rows.last.map(CSVText.line) ?? "").utf8))
    try file.moveIntoPlace(survivesPowerCut: true)
    (self.file, self.lastRow) = (file, lastRow)
  }

  func append(_ row: [String]) throws(PluginError) {
    guard let file else { return }
    lastRow = file.end
    try file.append(Array(CSVText.line(row).utf8))
  }

  func replaceLast(with row: [String]) throws(PluginError) {
    try file?.replace(from: lastRow, with: Array(CSVText.line(row).utf8))
  }

  /// Brings the rows to the disk.
  func sync() throws(PluginError) { try file?.sync() }
}
