public import EspalierImages

/// Finds the disc in a picture by 2-means on colour: of the two clusters, the one that holds more of the
/// border is the ground, the other the disc.
///
/// The means start from three fixed guesses and the tightest clustering wins, so that equal pictures give
/// equal discs.
public enum DiscFinder {
  /// The pixels of the disc; none if the picture has a single colour.
  public static func disc(in image: Image) -> PixelMask {
    let (width, height) = (image.width, image.height)
    let bytes = image.rgb8().bytes
    let pixels = (0..<width * height).map { k in
      SIMD3(Float(bytes[3 * k]), Float(bytes[3 * k + 1]), Float(bytes[3 * k + 2]))
    }
    let border = (0..<width * height).filter { k in
      k % width == 0 || k % width == width - 1 || k / width == 0 || k / width == height - 1
    }
    guard
      let best = starts(pixels, border: border).map({ cluster(pixels, from: $0) })
        .min(by: { $0.scatter < $1.scatter })
    else { return PixelMask(width: width, height: height) { _, _ in false } }
    let onBorder = border.count { best.isSecond[$0] }
    let discIsSecond = 2 * onBorder <= border.count
    let isDivided = best.isSecond.contains(true) && best.isSecond.contains(false)
    return PixelMask(width: width, height: height) { x, y in
      isDivided && best.isSecond[y * width + x] == discIsSecond
    }
  }

  private struct Clustering {
    var isSecond: [Bool]
    /// The sum of squared distances from the means.
    var scatter: Double
  }

  /// First means: border against the colour farthest from it, the two ends of the axis along which
  /// colours vary most, and border against the rest.
  private static func starts(
    _ pixels: [SIMD3<Float>], border: [Int]
  ) -> [(SIMD3<Float>, SIMD3<Float>)] {
    guard !pixels.isEmpty else { return [] }
    let edge = mean(border.map { pixels[$0] })
    let all = mean(pixels)
    let farthest = pixels.max { squared($0 - edge) < squared($1 - edge) } ?? all
    let axis = principalAxis(pixels, mean: all)
    let projections = pixels.map { (($0 - all) * axis).sum() }
    let upper = mean(zip(pixels, projections).filter { $0.1 > 0 }.map(\.0))
    let lower = mean(zip(pixels, projections).filter { $0.1 <= 0 }.map(\.0))
    return [(edge, farthest), (lower, upper), (edge, 2 * all - edge)]
  }

  /// Lloyd's iteration until nothing moves, at most 100 rounds.
  private static func cluster(
    _ pixels: [SIMD3<Float>], from start: (SIMD3<Float>, SIMD3<Float>)
  ) -> Clustering {
    var (first, second) = start
    var clustering = Clustering(
      isSecond: [Bool](repeating: false, count: pixels.count), scatter: 0)
    for _ in 0..<100 {
      var sums = (SIMD3<Double>.zero, SIMD3<Double>.zero)
      var secondCount = 0
      var hasMoved = false
      clustering.scatter = 0
      for (k, pixel) in pixels.enumerated() {
        let (a, b) = (squared(pixel - first), squared(pixel - second))
        let isSecond = b < a
        if isSecond != clustering.isSecond[k] { hasMoved = true }
        clustering.isSecond[k] = isSecond
        clustering.scatter += Double(min(a, b))
        if isSecond {
          sums.1 += SIMD3<Double>(pixel)
          secondCount += 1
        } else {
          sums.0 += SIMD3<Double>(pixel)
        }
      }
      let firstCount = pixels.count - secondCount
      let means = (
        firstCount > 0 ? SIMD3<Float>(sums.0 / Double(firstCount)) : first,
        secondCount > 0 ? SIMD3<Float>(sums.1 / Double(secondCount)) : second
      )
      if !hasMoved && means == (first, second) { break }
      (first, second) = means
    }
    return clustering
  }

  /// The direction of the largest variance, by power iteration.
  private static func principalAxis(
    _ pixels: [SIMD3<Float>], mean: SIMD3<Float>
  ) -> SIMD3<Float> {
    var columns = [SIMD3<Double>](repeating: .zero, count: 3)
    for pixel in pixels {
      let d = SIMD3<Double>(pixel - mean)
      for c in 0..<3 { columns[c] += d * d[c] }
    }
    // The column of the largest diagonal element is not orthogonal to the axis.
    let largest = (0..<3).max { columns[$0][$0] < columns[$1][$1] } ?? 0
    var axis = columns[largest]
    for _ in 0..<50 {
      let norm = (axis * axis).sum().squareRoot()
      guard norm > 0 else { return SIMD3(1, 0, 0) }
      axis /= norm
      axis = columns[0] * axis.x + columns[1] * axis.y + columns[2] * axis.z
    }
    let norm = (axis * axis).sum().squareRoot()
    return norm > 0 ? SIMD3<Float>(axis / norm) : SIMD3(1, 0, 0)
  }

  private static func mean(_ pixels: [SIMD3<Float>]) -> SIMD3<Float> {
    guard !pixels.isEmpty else { return .zero }
    let sum = pixels.reduce(SIMD3<Double>.zero) { $0 + SIMD3<Double>($1) }
    return SIMD3<Float>(sum / Double(pixels.count))
  }

  private static func squared(_ vector: SIMD3<Float>) -> Float { (vector * vector).sum() }
}

extension Circle {
  /// How well a picture follows the control image: intersection over union of the disc asked for and the
  /// disc found, 0 to 1.
  ///
  /// - Precondition: the picture is square.
  public func fidelity(of image: Image) -> Double {
    precondition(image.width == image.height, "\(image.width)×\(image.height) is not a square")
    return mask(resolution: image.width).intersectionOverUnion(DiscFinder.disc(in: image))
  }
}
