import EspalierPluginKit
import LogFiles

/// The files of a report: the page, and the folder beside it in which an open page finds news.
///
/// The folder holds the history (`rows.jsonl`), the newest state (`data.js`) and the pictures.
struct ReportFiles {
  private static let page = "report.html"
  private static let folderName = "report-files"
  private static let rows = "rows.jsonl"
  private static let data = "data.js"
  private let directory: LogFolder
  private let folder: LogFolder

  /// - Parameter isNew: True to move the files of an earlier run aside, to `report.1.html` and its folder.
  init(_ directory: LogFolder, isNew: Bool) throws(PluginError) {
    self.directory = directory
    if isNew {
      try directory.moveAside([Self.page, Self.folderName]) { name, number in
        // The page finds its folder by its own name.
        name == Self.page ? "report.\(number).html" : "report.\(number)-files"
      }
    }
    folder = try directory.folder(Self.folderName)
  }

  /// Opens the history, cut back to `resumeStep`.
  func history(
    keepingUpTo resumeStep: Int64, visit: (RunRow) -> Void
  ) throws(PluginError) -> RowFile {
    try RowFile(
      folder, Self.rows, keepingUpTo: resumeStep, visit: visit,
      drop: { row in
        if case .images(_, _, _, let pictures) = row { remove(pictures) }
      })
  }

  func write(_ picture: SmallPicture, _ name: String) throws(PluginError) {
    try folder.replace(name, with: picture.file)
  }

  /// The bytes of a picture, nil if it is not there.
  func picture(_ name: String) throws(PluginError) -> [UInt8]? { try folder.read(name) }

  func remove(_ pictures: [RunRow.Picture]) {
    for picture in pictures { folder.remove(picture.file) }
  }

  /// Writes what an open page looks for.
  func writeData(_ data: JSONValue) throws(PluginError) {
    try folder.replace(Self.data, with: Array("espalierReport(\(data.text));\n".utf8))
  }

  /// Writes the page with all that it shows.
  func writePage(
    _ data: JSONValue, _ sets: [PictureSets.PictureSet], survivesPowerCut: Bool
  ) throws(PluginError) {
    var pictures: [(name: String, file: [UInt8])] = []
    for picture in sets.flatMap(\.pictures) {
      if let file = try self.picture(picture.file) { pictures.append((picture.file, file)) }
    }
    try directory.replace(
      Self.page, with: ReportPage.bytes(data: data, pictures: pictures),
      survivesPowerCut: survivesPowerCut)
  }
}
