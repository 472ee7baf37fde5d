/// An image for metric loggers, 8-bit RGB and row-major.
public struct MetricImage: Sendable, Equatable {
  public let caption: String
  public let width: Int
  public let height: Int
  public let rgb: [UInt8]

  /// - Precondition: `rgb.count == 3 · width · height`.
  public init(caption: String, width: Int, height: Int, rgb: [UInt8]) {
    precondition(rgb.count == 3 * width * height, "\(rgb.count) bytes for \(width)×\(height)")
    self.caption = caption
    self.width = width
    self.height = height
    self.rgb = rgb
  }
}

/// What a line of the console was written to; the values are the boundary's.
public enum MetricConsoleStream: Int32, Sendable {
  case output = 1
  case error = 2
}
