/// Dynamic loss scaling for f16: the loss is multiplied so that small gradients do not vanish, and a step
/// whose gradients overflow is skipped.
///
/// Source: PyTorch `torch.cuda.amp.GradScaler` with its defaults.
public struct LossScaler: Sendable, Equatable, Codable {
  /// The current factor; 1 and constant where no scaling is used.
  public private(set) var scale: Double
  /// Steps without overflow since the last change.
  public private(set) var goodSteps = 0
  private let isDynamic: Bool
  private static let growthInterval = 2000
  private static let range = 1.0...16_777_216.0

  /// - Parameter isDynamic: True for f16; bf16 and f32 need no scaling.
  public init(isDynamic: Bool) {
    self.isDynamic = isDynamic
    scale = isDynamic ? 65_536 : 1
  }

  /// Takes note of a step and adapts the factor.
  ///
  /// - Returns: True if the step must be skipped. Without scaling an overflow is for the caller to judge.
  public mutating func skipsStep(gradientsAreFinite: Bool) -> Bool {
    guard isDynamic else { return false }
    if gradientsAreFinite {
      goodSteps += 1
      if goodSteps == Self.growthInterval {
        scale = min(scale * 2, Self.range.upperBound)
        goodSteps = 0
      }
      return false
    }
    scale = max(scale / 2, Self.range.lowerBound)
    goodSteps = 0
    return true
  }

  /// True if the factor cannot get any smaller and the gradients still overflow.
  public var isExhausted: Bool { isDynamic && scale <= Self.range.lowerBound }
}
