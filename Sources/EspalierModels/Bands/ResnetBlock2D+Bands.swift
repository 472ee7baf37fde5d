import EspalierGraph
import EspalierTensors

extension Conv2d {
  /// The convolution of some rows of a map: what lies above and below them is given, or zero outside the map.
  func callAsFunction(_ x: Value, _ window: RowWindow) -> Value {
    callAsFunction(x, top: window.top, bottom: window.bottom)
  }

  func callAsFunction(_ x: Value, top: Int, bottom: Int) -> Value {
    x.conv2d(
      weight: weight, bias: bias, stride: stride,
      padding: Padding2D(top: top, left: padding.left, bottom: bottom, right: padding.right),
      path: path)
  }

  var outChannels: Int { weight.shape[0] }
}

extension Upsample2D {
  /// Doubles rows of a map; the result has the window's `result` rows.
  func callAsFunction(_ x: Value, _ window: DoubledRowWindow) -> Value {
    conv(
      x.upsampledNearest(height: 2 * x.shape[1], width: 2 * x.shape[2]), top: window.top,
      bottom: window.bottom)
  }
}
