/// The names of the columns that hold images, control images and captions.
///
/// The defaults are those of the reference script's `--image_column`, `--conditioning_image_column` and
/// `--caption_column`.
public struct DatasetColumns: Sendable, Hashable {
  public var image: String
  public var conditioningImage: String
  public var caption: String

  public init(
    image: String = "image", conditioningImage: String = "conditioning_image",
    caption: String = "text"
  ) {
    self.image = image
    self.conditioningImage = conditioningImage
    self.caption = caption
  }

  /// What a column is for.
  enum Role: CaseIterable {
    case image, conditioningImage, caption

    var flag: String {
      switch self {
      case .image: "--image_column"
      case .conditioningImage: "--conditioning_image_column"
      case .caption: "--caption_column"
      }
    }
  }

  func name(of role: Role) -> String {
    switch role {
    case .image: image
    case .conditioningImage: conditioningImage
    case .caption: caption
    }
  }

  /// The columns that may hold what `role` asks for, the first that exists wins.
  ///
  /// A column `X` of images may be spelled `X_file_name`, as Hugging Face Datasets does, or hold the path
  /// itself; the standard names of a layout stand in only for a name that was left at its default.
  func candidates(for role: Role, in layout: MetadataLayout) -> [String] {
    let name = name(of: role)
    let isDefault = name == DatasetColumns().name(of: role)
    switch (role, layout) {
    case (.image, .imageFolder):
      return isDefault ? ["\(name)_file_name", "file_name", name] : ["\(name)_file_name", name]
    case (.conditioningImage, .imageFolder):
      return ["\(name)_file_name", name]
    case (.caption, .imageFolder): return [name]
    case (.image, .fill50k): return isDefault ? ["target"] : [name]
    case (.conditioningImage, .fill50k): return isDefault ? ["source"] : [name]
    case (.caption, .fill50k): return isDefault ? ["prompt"] : [name]
    }
  }
}

/// The conventions by which metadata name their columns.
enum MetadataLayout {
  /// `metadata.jsonl` or `metadata.csv` of Hugging Face Datasets' ImageFolder.
  case imageFolder
  /// `prompt.json` of ControlNet's fill50k: JSON lines of source (control), target (image), prompt.
  case fill50k
}
