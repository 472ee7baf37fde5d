public import EspalierTensors

/// What can be wrong with a folder of training data.
public enum DatasetError: Error, Equatable, CustomStringConvertible {
  /// `--train_data_dir` is not a folder; `found` says what is there instead.
  case noFolder(path: String, found: String)
  /// The folder holds no metadata; `found` names what it holds.
  case noMetadata(folder: String, found: [String])
  /// Several metadata files compete.
  case ambiguousMetadata(files: [String])
  /// The system refused a file operation.
  case file(FileError)
  /// A line of the metadata cannot be read, or one of its values is not what it should be.
  case malformedRow(SourceLine, expected: String, found: String)
  /// No row has a column that `flag` asks for; `columns` are those there are.
  case missingColumn(file: String, flag: String, searched: [String], columns: [String])
  /// A row names an image that is not there; `path` is where it was looked for.
  case missingImage(SourceLine, path: String, found: String)
  /// The metadata hold no row.
  case empty(file: String)
  /// An image of a row cannot be decoded or transformed.
  case unreadableImage(SourceLine, path: String, reason: String)
  /// Image and control image of a row have different shapes, so that one does not describe the other.
  case mismatchedSizes(
    SourceLine, image: String, imageSize: PixelSize, conditioningImage: String,
    conditioningImageSize: PixelSize)

  public var description: String {
    switch self {
    case .noFolder(let path, let found):
      return lines(
        "the training data cannot be opened", ("folder", path), ("expected", "a folder"),
        ("found", found), ("hint", "check --train_data_dir"))
    case .noMetadata(let folder, let found):
      return lines(
        "the training data have no metadata", ("folder", folder),
        ("expected", MetadataFile.names.joined(separator: ", ") + ", here or in train/"),
        ("found", found.isEmpty ? "an empty folder" : found.joined(separator: ", ")),
        (
          "hint",
          "metadata.jsonl has a line per image: "
            + #"{"file_name": "0.png", "conditioning_image_file_name": "edges/0.png", "text": "…"}"#
        ))
    case .ambiguousMetadata(let files):
      return lines(
        "the training data have metadata more than once", ("found", files.joined(separator: ", ")),
        ("expected", "one of them"), ("hint", "remove or rename the others"))
    case .file(let error): return error.description
    case .malformedRow(let line, let expected, let found):
      return lines(
        "a line of the metadata cannot be used", ("line", line.description),
        ("expected", expected), ("found", found))
    case .missingColumn(let file, let flag, let searched, let columns):
      return lines(
        "a column of the training data is missing", ("file", file),
        ("expected", searched.joined(separator: " or ")),
        ("found", columns.isEmpty ? "no column" : columns.joined(separator: ", ")),
        ("hint", "name the right column with \(flag)"))
    case .missingImage(let line, let path, let found):
      return lines(
        "an image of the training data is missing", ("line", line.description), ("file", path),
        ("expected", "an image file"), ("found", found),
        ("hint", "paths are relative to the folder of the metadata; absolute paths are taken too"))
    case .empty(let file):
      return lines(
        "the training data are empty", ("file", file), ("expected", "a line per image"),
        ("found", "none"))
    case .unreadableImage(let line, let path, let reason):
      return lines(
        "an image of the training data cannot be read", ("file", path),
        ("line", line.description), ("found", reason))
    case .mismatchedSizes(let line, let image, let size, let control, let controlSize):
      return lines(
        "an image and its control image have different aspect ratios", ("line", line.description),
        ("image", "\(image): \(size)"), ("control", "\(control): \(controlSize)"),
        ("hint", "crop both to the same aspect ratio; they may differ in resolution"))
    }
  }

  private func lines(_ summary: String, _ details: (label: String, text: String)...) -> String {
    details.reduce(summary) { text, detail in
      let gap = String(repeating: " ", count: max(10 - detail.label.count, 1))
      return text + "\n  " + detail.label + gap + detail.text
    }
  }
}

/// Width and height of an image in pixels.
public struct PixelSize: Sendable, Hashable, CustomStringConvertible {
  public let width: Int
  public let height: Int

  public init(width: Int, height: Int) {
    self.width = width
    self.height = height
  }

  public var description: String { "\(width)×\(height)" }
}
