import EspalierDatasets
import EspalierImages
import EspalierTensors
import Foundation
import TestSupport

/// A temporary folder of training data that a test fills.
struct DataFolder {
  let folder: TemporaryFolder

  init() throws { folder = try temporaryFolder() }

  var path: String { folder.path }

  /// Writes text, making the folders on the way.
  @discardableResult
  func write(_ text: String, to name: String) throws -> String {
    try makeFolder(of: name)
    try AtomicFile.write(text, to: folder.file(name))
    return folder.file(name)
  }

  /// Writes a picture whose samples count up, so that no two sizes look alike.
  @discardableResult
  func draw(_ name: String, width: Int, height: Int, channels: Int = 3) throws -> String {
    try makeFolder(of: name)
    let bytes = (0..<width * height * channels).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    try Image(width: width, height: height, channels: channels, bytes: bytes)
      .writePNG(to: folder.file(name))
    return folder.file(name)
  }

  /// Empty files that only have to be there.
  func touch(_ names: String...) throws {
    for name in names { try write("", to: name) }
  }

  func open(_ columns: DatasetColumns = DatasetColumns()) throws(DatasetError) -> ImageFolderDataset
  {
    try ImageFolderDataset(folder: path, columns: columns)
  }

  private func makeFolder(of name: String) throws {
    let url = URL(fileURLWithPath: folder.file(name)).deletingLastPathComponent()
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }
}

/// The error that `body` throws; nil if it throws none.
func datasetError(_ body: () throws(DatasetError) -> some Any) -> DatasetError? {
  do throws(DatasetError) {
    _ = try body()
    return nil
  } catch {
    return error
  }
}
