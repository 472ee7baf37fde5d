import EspalierTensors

/// Draws lots for circles: circle `index` is a function of the seed, the index and the split alone.
public struct CircleGenerator: Sendable {
  /// What circles are for; the splits are independent of each other.
  public enum Split: UInt64, Sendable {
    case training = 0
    /// The two colours are at least 140 apart in RGB, so that the disc can be found again.
    case heldOut = 1
  }

  /// Distance in RGB that the two colours of a held-out picture have at least.
  public static let heldOutDistance: Float = 140

  public let seed: UInt64
  public let split: Split

  public init(seed: UInt64, split: Split) {
    self.seed = seed
    self.split = split
  }

  /// A circle with radius 0.10 to 0.36 and centre 0.15 to 0.85 of the side, so that the border may cut it.
  public func circle(_ index: Int) -> Circle {
    let random = CounterRandom(
      seed: seed, purpose: .demoCircle, sample: UInt64(index), step: split.rawValue)
    let places = random.uniforms(3)
    // The uniforms above took the stream's first block.
    let color = CSSColor.all[random.integer(below: CSSColor.all.count, at: 1)]
    let partners = CSSColor.all.filter { other in
      let distance = color.distance(to: other)
      return split == .heldOut ? distance >= Self.heldOutDistance : distance > 0
    }
    let background = partners[random.integer(below: partners.count, at: 2)]
    return Circle(
      centerX: 0.15 + 0.7 * places[0], centerY: 0.15 + 0.7 * places[1],
      radius: 0.1 + 0.26 * places[2], color: color, background: background)
  }
}
