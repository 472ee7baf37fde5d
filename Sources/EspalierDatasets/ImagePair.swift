public import EspalierCheckpoints
public import EspalierImages
public import EspalierTensors

/// The two pictures of a sample, scaled and cut as training sees them.
///
/// The shortest side is scaled to the resolution (bilinear, antialiased) and the square in the middle cut out,
/// as in the reference script. Samples are 8-bit.
public struct ImagePair: Sendable, Equatable {
  /// `resolution` × `resolution`, RGB.
  public let image: Image
  /// `resolution` × `resolution`, RGB or gray.
  public let conditioningImage: Image
  /// The size of the image's file.
  public let originalSize: PixelSize
  /// Where the square starts in the scaled image.
  public let cropTop: Int
  public let cropLeft: Int

  /// Decodes and transforms both images of a sample.
  ///
  /// - Parameters:
  ///   - resolution: The side of the squares in pixels, at least 1.
  ///   - conditioningChannels: 3, or 1 for an adapter that takes gray.
  /// - Throws: `DatasetError.unreadableImage`; `.mismatchedSizes` if the aspect ratios differ by more than a
  ///   pixel of the scaled images.
  public init(
    _ sample: TrainingSample, resolution: Int, conditioningChannels: Int = 3
  ) throws(DatasetError) {
    let image = try SquareImage(
      sample.imagePath, of: sample, resolution: resolution, channels: 3)
    let control = try SquareImage(
      sample.conditioningImagePath, of: sample, resolution: resolution,
      channels: conditioningChannels)
    let (a, b) = (image.scaledSize, control.scaledSize)
    guard abs(a.width - b.width) <= 1 && abs(a.height - b.height) <= 1 else {
      throw .mismatchedSizes(
        sample.source, image: sample.imagePath, imageSize: image.originalSize,
        conditioningImage: sample.conditioningImagePath,
        conditioningImageSize: control.originalSize)
    }
    self.image = image.transform.image
    conditioningImage = control.transform.image
    originalSize = image.originalSize
    cropTop = image.transform.cropTop
    cropLeft = image.transform.cropLeft
  }

  /// The image as float32 `[resolution, resolution, 3]` in −1...1, as the VAE takes it.
  public func imageTensor() -> HostTensor {
    let result = image.floats(channels: 3)
    result.withMutableFloats { values in
      for k in values.indices { values[k] = values[k] * 2 - 1 }
    }
    return result
  }

  /// The control image as float32 `[resolution, resolution, channels]` in 0...1, as adapters take it.
  public func conditioningTensor() -> HostTensor {
    conditioningImage.floats(channels: conditioningImage.channels)
  }

  /// A key for whatever is computed from the image alone, such as its latents.
  public var imageKey: ContentHash { ContentHash(image) }

  /// A key for whatever is computed from the control image alone.
  public var conditioningKey: ContentHash { ContentHash(conditioningImage) }
}

extension ContentHash {
  /// The hash of an image's size, channels and samples.
  public init(_ image: Image) {
    let hasher = ContentHasher()
    for size in [image.width, image.height, image.channels, image.bitDepth] { hasher.combine(size) }
    switch image.samples {
    case .bytes(let values): values.withUnsafeBytes { hasher.update($0) }
    case .words(let values): values.withUnsafeBytes { hasher.update($0) }
    }
    self = hasher.finish()
  }
}
