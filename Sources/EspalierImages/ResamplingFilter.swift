import Glibc

/// The filters of Pillow's `Image.resize`.
public enum ResamplingFilter: String, Sendable, CaseIterable {
  case nearest, bilinear, bicubic, lanczos

  /// How far the filter reaches, in pixels of the smaller picture.
  var support: Double {
    switch self {
    case .nearest: 0
    case .bilinear: 1
    case .bicubic: 2
    case .lanczos: 3
    }
  }

  func callAsFunction(_ position: Double) -> Double {
    let x = abs(position)
    switch self {
    case .nearest: return 0
    case .bilinear: return x < 1 ? 1 - x : 0
    case .bicubic:
      let a = -0.5
      if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
    case .lanczos:
      return -3 <= position && position < 3 ? Self.sinc(position) * Self.sinc(position / 3) : 0
    }
  }

  private static func sinc(_ x: Double) -> Double {
    x == 0 ? 1 : sin(x * .pi) / (x * .pi)
  }
}

/// For each sample of a resized row, which samples of the original it is a weighted mean of.
struct ResamplingWeights {
  /// Bits after the point of the 8-bit path: 32 for a sum, less 8 for the sample, less 2 for
  /// overshoot.
  static let precision = 22

  private(set) var starts: [Int] = []
  private(set) var counts: [Int] = []
  /// `stride` weights for each sample, of which the first `counts` are used.
  private(set) var weights: [Double]
  let stride: Int

  /// Antialiased: when shrinking, the filter is widened by the factor.
  init(from size: Int, to newSize: Int, filter: ResamplingFilter) {
    let scale = Double(size) / Double(newSize)
    let filterScale = max(scale, 1)
    let support = filter.support * filterScale
    stride = Int(support.rounded(.up)) * 2 + 1
    weights = [Double](repeating: 0, count: stride * newSize)
    let inverse = 1 / filterScale
    for x in 0..<newSize {
      let center = (Double(x) + 0.5) * scale
      let first = max(Int(center - support + 0.5), 0)
      let count = min(Int(center + support + 0.5), size) - first
      var sum = 0.0
      for k in 0..<count {
        let weight = filter((Double(k + first) - center + 0.5) * inverse)
        weights[x * stride + k] = weight
        sum += weight
      }
      if sum != 0 { for k in 0..<count { weights[x * stride + k] /= sum } }
      starts.append(first)
      counts.append(count)
    }
  }

  /// The weights as fixed-point numbers, rounded half away from zero.
  var fixedPoint: [Int32] {
    weights.map { weight in
      let scaled = weight * Double(1 << Self.precision)
      return Int32(scaled < 0 ? scaled - 0.5 : scaled + 0.5)
    }
  }
}
