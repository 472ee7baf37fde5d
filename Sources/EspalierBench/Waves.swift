import EspalierTensors
import Foundation

/// Numbers that look random and are the same in Swift and in Python: `sin(12.9898·(i+1)·(series+1))`.
enum Waves {
  /// Series by what they are for, as in `PyTorch/measure.py`.
  enum Series: Int {
    case sample, target, hiddenStates, pooled, control, feature, parameter
  }

  /// Values in −1…1.
  static func values(_ series: Series, count: Int) -> [Float] {
    (0..<count).map { Float(sin(12.9898 * Double($0 + 1) * Double(series.rawValue + 1))) }
  }

  static func tensor(_ series: Series, _ shape: Shape) -> HostTensor {
    HostTensor(values(series, count: shape.count), shape: shape)
  }

  /// A batch of timesteps spread over 0 ..< 1000.
  static func timesteps(_ count: Int) -> [Double] {
    (0..<count).map { Double(($0 * 137 + 50) % 1000) }
  }

  /// The sizes of a picture that is neither scaled nor cropped.
  static func timeIDs(resolution: Int) -> [Double] {
    let side = Double(resolution)
    return [side, side, 0, 0, side, side]
  }
}
