/// The sizes of a convolution of x[B,H,W,C] with w[O,C,kh,kw] to y[B,Ho,Wo,O].
struct ConvolutionGeometry {
  let batch, height, width, channels: Int
  let filters, kernelHeight, kernelWidth: Int
  let outputHeight, outputWidth: Int
  let stride, top, left: Int

  /// nil where the shapes do not fit together.
  ///
  /// - Parameter integers: `{act, stride, top, left, bottom, right}`.
  init?(x: [Int], w: [Int], y: [Int], integers: [Int]) {
    guard x.count == 4, w.count == 4, y.count == 4 else { return nil }
    (batch, height, width, channels) = (x[0], x[1], x[2], x[3])
    (filters, kernelHeight, kernelWidth) = (w[0], w[2], w[3])
    (outputHeight, outputWidth) = (y[1], y[2])
    (stride, top, left) = (integers[1], integers[2], integers[3])
    let limit = 1 << 20
    guard w[1] == channels, y[0] == batch, y[3] == filters, (1...limit).contains(stride),
      integers[2...5].allSatisfy({ (0...limit).contains($0) }),
      x.allSatisfy({ $0 <= 1 << 31 }), w.allSatisfy({ $0 <= 1 << 31 })
    else { return nil }
    let spanY = height + top + integers[4] - kernelHeight
    let spanX = width + left + integers[5] - kernelWidth
    guard spanY >= 0, spanX >= 0, outputHeight == spanY / stride + 1,
      outputWidth == spanX / stride + 1
    else { return nil }
  }

  var taps: Int { kernelHeight * kernelWidth }
  var outputPixels: Int { batch * outputHeight * outputWidth }
  var inputPixels: Int { batch * height * width }

  /// It is a product of the pixels and the filters as they lie in memory.
  var isPointwise: Bool {
    taps == 1 && stride == 1 && outputHeight == height && outputWidth == width && top == 0
      && left == 0
  }
}
