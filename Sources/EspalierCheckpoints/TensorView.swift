public import EspalierTensors

/// A tensor of a file, or a part of one, as a model wants it.
public struct TensorView: Sendable, Hashable {
  /// The tensor's name in the file.
  public let source: String
  /// Where the part lies, with its shape in the file.
  public let entry: TensorEntry
  /// Whether rows and columns change places, which takes a copy.
  public let isTransposed: Bool

  /// - Parameter entry: The tensor's own, or a part of it.
  /// - Precondition: What is transposed has two axes.
  public init(source: String, entry: TensorEntry, isTransposed: Bool = false) {
    precondition(!isTransposed || entry.shape.rank == 2, "\(source) is no matrix")
    self.source = source
    self.entry = entry
    self.isTransposed = isTransposed
  }

  /// What a reader of the view gets.
  public var shape: Shape { isTransposed ? [entry.shape[1], entry.shape[0]] : entry.shape }
}
