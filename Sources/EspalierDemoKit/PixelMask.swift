/// A set of pixels.
public struct PixelMask: Sendable, Equatable {
  public let width: Int
  public let height: Int
  /// Row by row from the top.
  public let contains: [Bool]

  /// The pixels for which `isInside` is true.
  public init(width: Int, height: Int, isInside: (_ x: Int, _ y: Int) -> Bool) {
    self.width = width
    self.height = height
    contains = (0..<width * height).map { isInside($0 % width, $0 / width) }
  }

  /// How many pixels the set has.
  public var count: Int { contains.count { $0 } }

  /// Intersection over union, 0 to 1; 0 if both sets are empty.
  ///
  /// - Precondition: both have the same size.
  public func intersectionOverUnion(_ other: PixelMask) -> Double {
    precondition(width == other.width && height == other.height, "masks of different sizes")
    var intersection = 0
    var union = 0
    for (a, b) in zip(contains, other.contains) {
      if a && b { intersection += 1 }
      if a || b { union += 1 }
    }
    return union == 0 ? 0 : Double(intersection) / Double(union)
  }
}
