import EspalierTensors

/// The random numbers of a generation, cut to a part of its pictures.
///
/// Every draw is made for all pictures, so a picture's noise does not depend on how they are cut into batches.
struct NoiseStream {
  private var generator: TorchGenerator
  private let total: Int
  private let elements: Int

  /// - Parameters:
  ///   - total: All pictures of the generation.
  ///   - elements: Elements of one picture's latents.
  init(seed: Int, total: Int, elements: Int) {
    generator = TorchGenerator(seed: seed)
    self.total = total
    self.elements = elements
  }

  /// The next draw, its part for the pictures `rows`.
  mutating func next(_ rows: Range<Int>) -> [Float] {
    let all = generator.randn(total * elements)
    return Array(all[rows.lowerBound * elements..<rows.upperBound * elements])
  }
}
