public import EspalierImages
public import EspalierTensors
import Synchronization

/// The control images of a data set as training sees them: kept in memory as bytes up to a limit, decoded
/// again beyond it.
///
/// A control image is a function of its file, so that whether it was kept never changes a result.
public final class ControlImageCache: Sendable {
  private struct State {
    var images: [Int: Image] = [:]
    var byteCount = 0
  }

  public let resolution: Int
  public let channels: Int
  /// Images are kept while they take no more bytes than this.
  public let byteLimit: Int
  public static let defaultByteLimit = 1 << 30
  private let samples: [TrainingSample]
  private let state = Mutex(State())

  /// - Parameters:
  ///   - resolution: The side of the squares in pixels.
  ///   - channels: 3, or 1 for an adapter that takes gray.
  ///   - byteLimit: At most this many bytes of samples are kept.
  public init(
    samples: [TrainingSample], resolution: Int, channels: Int = 3, byteLimit: Int = defaultByteLimit
  ) {
    self.samples = samples
    self.resolution = resolution
    self.channels = channels
    self.byteLimit = byteLimit
  }

  /// The bytes that are kept at present.
  public var byteCount: Int { state.withLock { $0.byteCount } }

  /// The control image of a sample, decoded if it is not kept.
  ///
  /// - Throws: `DatasetError.unreadableImage`.
  public func image(at index: Int) throws(DatasetError) -> Image {
    if let image = state.withLock({ $0.images[index] }) { return image }
    let sample = samples[index]
    let image = try SquareImage(
      sample.conditioningImagePath, of: sample, resolution: resolution, channels: channels
    ).transform.image
    keep(image, at: index)
    return image
  }

  /// Keeps an image that was decoded elsewhere, such as that of an `ImagePair`, if there is room.
  ///
  /// - Precondition: the image has this cache's resolution and channels.
  public func keep(_ image: Image, at index: Int) {
    precondition(
      image.width == resolution && image.height == resolution && image.channels == channels,
      "\(image.width)×\(image.height)×\(image.channels) in a cache of \(resolution)×\(channels)")
    let size = resolution * resolution * channels
    state.withLock { state in
      guard state.images[index] == nil, state.byteCount + size <= byteLimit else { return }
      state.images[index] = image
      state.byteCount += size
    }
  }

  /// The control images of a batch as float32 `[N, resolution, resolution, channels]` in 0...1.
  ///
  /// - Throws: `DatasetError.unreadableImage`.
  public func batch(_ indices: [Int]) throws(DatasetError) -> HostTensor {
    let size = resolution * resolution * channels
    let result = HostTensor(shape: [indices.count, resolution, resolution, channels])
    for (place, index) in indices.enumerated() {
      let bytes = try image(at: index).bytes
      result.withMutableFloats { values in
        for k in 0..<size { values[place * size + k] = Float(bytes[k]) / 255 }
      }
    }
    return result
  }
}
