/// Sizes of a convolution of x[B,H,W,C] with w[O,C,kh,kw].
struct ConvolutionSizes: Sendable {
  /// B, H, W, C.
  let map: [Int]
  /// O, kh, kw.
  let filters: [Int]
  var stride = 1
  /// Top, left, bottom, right.
  var padding = [0, 0, 0, 0]

  init(_ map: [Int], _ filters: [Int], stride: Int = 1, padding: [Int] = [0, 0, 0, 0]) {
    (self.map, self.filters, self.stride, self.padding) = (map, filters, stride, padding)
  }

  private static let same = [1, 1, 1, 1]

  static let small = [
    ConvolutionSizes([2, 5, 7, 3], [4, 1, 1]),
    ConvolutionSizes([2, 5, 7, 3], [5, 3, 3], padding: same),
    ConvolutionSizes([1, 9, 6, 4], [3, 3, 3], stride: 2, padding: same),
    ConvolutionSizes([1, 8, 6, 5], [6, 3, 3], stride: 2, padding: [0, 0, 1, 1]),
    ConvolutionSizes([1, 6, 5, 2], [3, 2, 5], padding: [1, 0, 0, 2]),
    ConvolutionSizes([2, 4, 4, 6], [7, 1, 1], stride: 2),
    ConvolutionSizes([1, 1, 1, 9], [2, 3, 3], padding: same),
    ConvolutionSizes([2, 13, 11, 32], [32, 3, 3], padding: same),
    ConvolutionSizes([1, 18, 17, 64], [48, 3, 3], padding: same),
    ConvolutionSizes([1, 11, 7, 40], [33, 1, 1]),
    ConvolutionSizes([1, 7, 7, 20], [20, 3, 3], stride: 2, padding: same),
  ]

  /// First and last layer, residual blocks, downsampling, shortcut, the decoder's, the adapter's.
  static let sdxl = [
    ConvolutionSizes([1, 128, 128, 4], [320, 3, 3], padding: same),
    ConvolutionSizes([1, 128, 128, 320], [320, 3, 3], padding: same),
    ConvolutionSizes([1, 128, 128, 320], [320, 3, 3], stride: 2, padding: same),
    ConvolutionSizes([1, 64, 64, 640], [640, 3, 3], padding: same),
    ConvolutionSizes([1, 32, 32, 1280], [1280, 3, 3], padding: same),
    ConvolutionSizes([1, 64, 64, 1920], [640, 1, 1]),
    ConvolutionSizes([1, 128, 128, 320], [4, 3, 3], padding: same),
    ConvolutionSizes([1, 64, 64, 768], [320, 3, 3], padding: same),
    ConvolutionSizes([1, 256, 256, 128], [128, 3, 3], stride: 2, padding: [0, 0, 1, 1]),
  ]

  var channels: Int { map[3] }
  var taps: Int { filters[1] * filters[2] }
  var outputShape: [Int] {
    [
      map[0], (map[1] + padding[0] + padding[2] - filters[1]) / stride + 1,
      (map[2] + padding[1] + padding[3] - filters[2]) / stride + 1, filters[0],
    ]
  }
  var weightShape: [Int] { [filters[0], channels, filters[1], filters[2]] }

  var label: String {
    let side = "\(filters[1])×\(filters[2])"
    return "\(map) to \(filters[0]) by \(side), stride \(stride), padding \(padding)"
  }

  var work: Work {
    .operations(2 * Double(outputShape.reduce(1, *)) * Double(channels * taps))
  }

  func integers(_ act: Int32) -> [Int64] {
    [Int64(act), Int64(stride)] + padding.map { Int64($0) }
  }

  /// One element of conv(x, w).
  func output(_ place: Int, _ x: [Float], _ w: [Float]) -> Double {
    let shape = outputShape
    let o = place % shape[3]
    let column = place / shape[3] % shape[2]
    let row = place / (shape[3] * shape[2]) % shape[1]
    let b = place / (shape[3] * shape[2] * shape[1])
    var sum = 0.0
    for ky in 0..<filters[1] {
      let y = row * stride + ky - padding[0]
      guard y >= 0, y < map[1] else { continue }
      for kx in 0..<filters[2] {
        let column = column * stride + kx - padding[1]
        guard column >= 0, column < map[2] else { continue }
        sum += dot(
          channels, x, ((b * map[1] + y) * map[2] + column) * channels, 1,
          w, o * channels * taps + ky * filters[2] + kx, taps)
      }
    }
    return sum
  }

  /// One element of the gradient by x.
  func inputGradient(_ place: Int, _ dy: [Float], _ w: [Float]) -> Double {
    let shape = outputShape
    let c = place % channels
    let x = place / channels % map[2]
    let y = place / (channels * map[2]) % map[1]
    let b = place / (channels * map[2] * map[1])
    var sum = 0.0
    for ky in 0..<filters[1] {
      let down = y + padding[0] - ky
      guard down >= 0, down % stride == 0, down / stride < shape[1] else { continue }
      for kx in 0..<filters[2] {
        let right = x + padding[1] - kx
        guard right >= 0, right % stride == 0, right / stride < shape[2] else { continue }
        let source = ((b * shape[1] + down / stride) * shape[2] + right / stride) * shape[3]
        sum += dot(
          filters[0], dy, source, 1, w, c * taps + ky * filters[2] + kx, channels * taps)
      }
    }
    return sum
  }

  /// One element of the gradient by w.
  func weightGradient(_ place: Int, _ dy: [Float], _ x: [Float]) -> Double {
    let shape = outputShape
    let (kx, ky) = (place % filters[2], place / filters[2] % filters[1])
    let c = place / taps % channels
    let o = place / (taps * channels)
    // The columns whose tap lies inside the map.
    let first = max(0, (padding[1] - kx + stride - 1) / stride)
    let last = min(shape[2] - 1, (map[2] - 1 + padding[1] - kx) / stride)
    guard first <= last, map[2] - 1 + padding[1] - kx >= 0 else { return 0 }
    var sum = 0.0
    for b in 0..<map[0] {
      for row in 0..<shape[1] {
        let y = row * stride + ky - padding[0]
        guard y >= 0, y < map[1] else { continue }
        let column = first * stride + kx - padding[1]
        sum += dot(
          last - first + 1, dy, ((b * shape[1] + row) * shape[2] + first) * shape[3] + o, shape[3],
          x, ((b * map[1] + y) * map[2] + column) * channels + c, stride * channels)
      }
    }
    return sum
  }
}
