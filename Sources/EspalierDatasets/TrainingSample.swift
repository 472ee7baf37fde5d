/// One row of a data set: where its two images lie and what they show.
public struct TrainingSample: Sendable, Hashable {
  /// The picture to learn, as a path that can be opened.
  public let imagePath: String
  /// The control image: edges, a sketch, a depth map, …
  public let conditioningImagePath: String
  /// At least one; where there are several, the trainer draws one per epoch.
  public let captions: [String]
  /// Where the row stands, for messages.
  public let source: SourceLine

  public init(
    imagePath: String, conditioningImagePath: String, captions: [String], source: SourceLine
  ) {
    self.imagePath = imagePath
    self.conditioningImagePath = conditioningImagePath
    self.captions = captions
    self.source = source
  }
}

/// A line of a text file, counted from 1.
public struct SourceLine: Sendable, Hashable, CustomStringConvertible {
  public let file: String
  public let line: Int

  public init(file: String, line: Int) {
    self.file = file
    self.line = line
  }

  public var description: String { "\(file):\(line)" }
}
