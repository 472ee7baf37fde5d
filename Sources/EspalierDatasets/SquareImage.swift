import EspalierImages

/// One image of a sample, decoded, scaled and cut.
struct SquareImage {
  let transform: TrainingTransform
  let originalSize: PixelSize
  /// The size after scaling and before cutting.
  let scaledSize: PixelSize

  /// - Precondition: `resolution` is at least 1, `channels` is 1 or 3.
  init(
    _ path: String, of sample: TrainingSample, resolution: Int, channels: Int
  ) throws(DatasetError) {
    precondition(resolution >= 1 && (channels == 1 || channels == 3), "\(resolution), \(channels)")
    let decoded: Image
    do {
      decoded = try Image(contentsOf: path)
    } catch {
      throw .unreadableImage(sample.source, path: path, reason: error.description)
    }
    originalSize = PixelSize(width: decoded.width, height: decoded.height)
    guard decoded.width > 0, decoded.height > 0 else {
      throw .unreadableImage(
        sample.source, path: path, reason: "\(originalSize), an image without pixels")
    }
    let short = min(decoded.width, decoded.height)
    scaledSize = PixelSize(
      width: resolution * decoded.width / short, height: resolution * decoded.height / short)
    let pixels = scaledSize.width.multipliedReportingOverflow(by: scaledSize.height)
    guard !pixels.overflow, pixels.partialValue <= Image.mostPixels else {
      throw .unreadableImage(
        sample.source, path: path,
        reason: "\(originalSize), too long and narrow: \(scaledSize) when scaled")
    }
    transform = (channels == 1 ? decoded.gray8() : decoded.rgb8())
      .trainingTransform(resolution: resolution)
  }
}
