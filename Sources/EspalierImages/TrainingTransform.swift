/// A picture cut to a square for training, and where the square lay: SDXL's micro-conditioning.
public struct TrainingTransform: Sendable, Equatable {
  /// `resolution` × `resolution`.
  public let image: Image
  /// The size before resizing.
  public let originalWidth: Int
  public let originalHeight: Int
  /// Where the square starts in the resized picture.
  public let cropTop: Int
  public let cropLeft: Int
}

extension Image {
  /// The shortest side scaled to `resolution` (bilinear, antialiased), then the square in the
  /// middle.
  ///
  /// Convert to RGB or gray first, as the reference does. Source: torchvision's `Resize` and
  /// `CenterCrop`.
  ///
  /// - Precondition: `resolution` and the picture's sides are at least 1.
  public func trainingTransform(resolution: Int) -> TrainingTransform {
    precondition(resolution > 0 && width > 0 && height > 0, "nothing to scale")
    let resized =
      width <= height
      ? resized(width: resolution, height: resolution * height / width, filter: .bilinear)
      : resized(width: resolution * width / height, height: resolution, filter: .bilinear)
    let top = Self.middle(resized.height - resolution)
    let left = Self.middle(resized.width - resolution)
    return TrainingTransform(
      image: resized.cropped(x: left, y: top, width: resolution, height: resolution),
      originalWidth: width, originalHeight: height, cropTop: top, cropLeft: left)
  }

  /// Half of the excess; of two middles the even one, as Python's `round` does.
  private static func middle(_ excess: Int) -> Int {
    Int((Double(excess) / 2).rounded(.toNearestOrEven))
  }
}
