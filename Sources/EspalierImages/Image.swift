/// A picture: rows from the top, interleaved samples of 8 or 16 bits.
///
/// Channels: 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha; alpha is not multiplied into the
/// colours.
public struct Image: Sendable, Equatable {
  /// Larger images are refused when read.
  public static let largestSide = 32768
  /// Images with more pixels are refused when read; Pillow's limit.
  public static let mostPixels = 178_956_970

  /// The samples of a picture, by their width in memory.
  public enum Samples: Sendable, Equatable {
    case bytes([UInt8])
    case words([UInt16])
  }

  public let width: Int
  public let height: Int
  public let channels: Int
  public let samples: Samples

  /// An image of 8-bit samples.
  ///
  /// - Precondition: `bytes` has `width * height * channels` elements; `channels` is 1 to 4.
  public init(width: Int, height: Int, channels: Int, bytes: [UInt8]) {
    precondition(
      1...4 ~= channels && bytes.count == width * height * channels,
      "\(bytes.count) samples for \(width) × \(height) × \(channels)")
    self.width = width
    self.height = height
    self.channels = channels
    samples = .bytes(bytes)
  }

  /// An image of 16-bit samples.
  ///
  /// - Precondition: `words` has `width * height * channels` elements; `channels` is 1 to 4.
  public init(width: Int, height: Int, channels: Int, words: [UInt16]) {
    precondition(
      1...4 ~= channels && words.count == width * height * channels,
      "\(words.count) samples for \(width) × \(height) × \(channels)")
    self.width = width
    self.height = height
    self.channels = channels
    samples = .words(words)
  }

  /// Bits of one sample: 8 or 16.
  public var bitDepth: Int {
    switch samples {
    case .bytes: 8
    case .words: 16
    }
  }

  /// The samples as bytes; 16-bit samples keep their upper half.
  public var bytes: [UInt8] {
    switch samples {
    case .bytes(let bytes): bytes
    case .words(let words): words.map { UInt8($0 >> 8) }
    }
  }

  /// A picture of `width` × `height` whose pixel at (x, y) is this one's at `source(x, y)`.
  ///
  /// - Precondition: `source` stays inside.
  func gathered(
    width newWidth: Int, height newHeight: Int,
    from source: (_ x: Int, _ y: Int) -> (x: Int, y: Int)
  ) -> Image {
    func gather<T>(_ values: [T]) -> [T] {
      var result: [T] = []
      result.reserveCapacity(newWidth * newHeight * channels)
      for y in 0..<newHeight {
        for x in 0..<newWidth {
          let (fromX, fromY) = source(x, y)
          let start = (fromY * width + fromX) * channels
          for c in 0..<channels { result.append(values[start + c]) }
        }
      }
      return result
    }
    switch samples {
    case .bytes(let values):
      return Image(width: newWidth, height: newHeight, channels: channels, bytes: gather(values))
    case .words(let values):
      return Image(width: newWidth, height: newHeight, channels: channels, words: gather(values))
    }
  }

  /// The part that starts `x` pixels from the left and `y` from the top.
  ///
  /// - Precondition: the part lies inside.
  public func cropped(x: Int, y: Int, width: Int, height: Int) -> Image {
    precondition(
      x >= 0 && y >= 0 && width >= 0 && height >= 0 && x + width <= self.width
        && y + height <= self.height,
      "\(width) × \(height) from (\(x), \(y)) is outside \(self.width) × \(self.height)")
    return gathered(width: width, height: height) { (x + $0, y + $1) }
  }

  /// The mirror image, left and right exchanged.
  public func flippedHorizontally() -> Image {
    gathered(width: width, height: height) { (width - 1 - $0, $1) }
  }
}
