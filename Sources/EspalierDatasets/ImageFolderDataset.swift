import EspalierCheckpoints

/// A folder of images, control images and captions, listed in a metadata file.
///
/// Read are `metadata.jsonl` and `metadata.csv` by the convention of Hugging Face Datasets' ImageFolder
/// (`file_name`, `conditioning_image_file_name`, a caption column) and `prompt.json` as in ControlNet's fill50k
/// (`target`, `source`, `prompt`), in the folder itself or in its `train/`. Paths are relative to the metadata
/// file; absolute paths and `..` are followed. A caption is a string or, in JSON, a list of strings. Equal rows
/// are kept.
public struct ImageFolderDataset: Sendable {
  /// The rows in file order.
  public let samples: [TrainingSample]
  /// The metadata file that was read.
  public let metadataPath: String

  /// Reads the metadata and checks that every image is there; no image is opened.
  ///
  /// - Throws: every `DatasetError` but those of decoding.
  public init(folder: String, columns: DatasetColumns = DatasetColumns()) throws(DatasetError) {
    let metadata = try MetadataFile(in: folder)
    let table = try MetadataTable(contentsOf: metadata.path)
    guard !table.rows.isEmpty else { throw .empty(file: metadata.path) }
    func column(_ role: DatasetColumns.Role) throws(DatasetError) -> String {
      let searched = columns.candidates(for: role, in: metadata.layout)
      guard let found = searched.first(where: table.columns.contains) else {
        throw .missingColumn(
          file: metadata.path, flag: role.flag, searched: searched, columns: table.columns)
      }
      return found
    }
    let image = try column(.image)
    let conditioningImage = try column(.conditioningImage)
    let caption = try column(.caption)
    var samples: [TrainingSample] = []
    samples.reserveCapacity(table.rows.count)
    for row in table.rows {
      samples.append(
        TrainingSample(
          imagePath: try row.path(image, from: metadata.folder),
          conditioningImagePath: try row.path(conditioningImage, from: metadata.folder),
          captions: try row.captions(caption), source: row.line))
    }
    self.samples = samples
    metadataPath = metadata.path
  }
}

extension MetadataTable.Row {
  /// The image file that a column names.
  fileprivate func path(_ column: String, from folder: String) throws(DatasetError) -> String {
    guard let name = values[column]?.string, !name.isEmpty else {
      throw .malformedRow(line, expected: "a path in \"\(column)\"", found: found(column))
    }
    let path = name.hasPrefix("/") ? name : folder + "/" + name
    let kind = FileKind(of: path)
    guard kind == .file else {
      throw .missingImage(line, path: path, found: kind?.description ?? "nothing")
    }
    return path
  }

  /// One or several captions; an empty one is allowed and stands for no prompt.
  fileprivate func captions(_ column: String) throws(DatasetError) -> [String] {
    let value = values[column]
    guard let captions = value?.string.map({ [$0] }) ?? value?.strings, !captions.isEmpty else {
      throw .malformedRow(
        line, expected: "a string or a list of strings in \"\(column)\"", found: found(column))
    }
    return captions
  }

  private func found(_ column: String) -> String { values[column]?.kind ?? "no such key" }
}
