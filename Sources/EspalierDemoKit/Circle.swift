/// A disc of one colour on a ground of another; lengths are fractions of the picture's side.
public struct Circle: Sendable, Equatable {
  public let centerX: Float
  public let centerY: Float
  public let radius: Float
  public let color: CSSColor
  public let background: CSSColor

  public init(
    centerX: Float, centerY: Float, radius: Float, color: CSSColor, background: CSSColor
  ) {
    self.centerX = centerX
    self.centerY = centerY
    self.radius = radius
    self.color = color
    self.background = background
  }

  /// The caption, in fill50k's words.
  public var prompt: String { "\(color.name) circle with \(background.name) background" }

  /// The distance of a pixel's middle from the centre, in pixels.
  func distance(x: Int, y: Int, resolution: Int) -> Float {
    let side = Float(resolution)
    let dx = Float(x) + 0.5 - centerX * side
    let dy = Float(y) + 0.5 - centerY * side
    return (dx * dx + dy * dy).squareRoot()
  }
}
