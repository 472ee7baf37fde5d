public import EspalierImages
public import EspalierTensors

/// Control images as adapters take them.
public enum ControlImage {
  /// The image in the adapter's channels and the picture's size, as numbers from 0 to 1.
  ///
  /// Source: Diffusers, `_preprocess_adapter_image`: Lanczos, then divided by 255.
  ///
  /// - Precondition: `channels` is 1 or 3; the sizes are at least 1.
  /// - Returns: f32 `[1, height, width, channels]`.
  public static func tensor(
    _ image: Image, channels: Int, height: Int, width: Int
  ) -> HostTensor {
    let converted =
      image.bitDepth == 16 ? image : channels == 1 ? image.gray8() : image.rgb8()
    return converted.resized(width: width, height: height, filter: .lanczos)
      .floats(channels: channels)
      .reshaped([1, height, width, channels])
  }
}
