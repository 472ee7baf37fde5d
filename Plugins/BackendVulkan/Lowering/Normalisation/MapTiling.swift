/// How `Include/columns.glsl` divides a map x[B,P,C] among workgroups.
struct MapTiling: Sendable {
  let samples: Int
  let pixels: Int
  let channels: Int
  /// Invocations treat four channels each.
  let isWide: Bool
  /// Invocations of a workgroup.
  let size: Int
  /// Invocations side by side along C.
  let columns: Int
  /// Pixels of a workgroup.
  let block: Int

  /// Each invocation gets a number of pixels in `pixelRange` where the map has them.
  init(
    samples: Int, pixels: Int, channels: Int, pixelRange: ClosedRange<Int>, limits: DeviceLimits
  ) {
    self.samples = samples
    self.pixels = pixels
    self.channels = channels
    isWide = channels % 4 == 0
    size = limits.reductionGroupSize
    let width = isWide ? channels / 4 : channels
    columns = Self.columns(width: width, limit: size)
    let step = size / columns
    let others = samples * ((width + columns - 1) / columns)
    let wanted = limits.workgroupTarget / others
    let fewest = pixels.dividedUp(by: step * pixelRange.upperBound)
    let most = pixels.dividedUp(by: step * pixelRange.lowerBound)
    let blocks = max(fewest, min(wanted, most))
    block = pixels.dividedUp(by: blocks).dividedUp(by: step) * step
  }

  /// The power of two that wastes the fewest invocations; 32 at most, so that a workgroup also has rows.
  private static func columns(width: Int, limit: Int) -> Int {
    let candidates = [32, 16, 8, 4, 2, 1].filter { $0 <= limit }
    return candidates.min { width.dividedUp(by: $0) * $0 < width.dividedUp(by: $1) * $1 } ?? 1
  }

  /// Of a sample.
  var blocks: Int { pixels.dividedUp(by: block) }

  /// Of all samples.
  var parts: Int { samples * blocks }

  /// Elements of partial results [parts,C].
  var partialCount: Int { parts * channels }

  var workgroups: Int { (isWide ? channels / 4 : channels).dividedUp(by: columns) * parts }

  /// Specialisation constants 0 to 4.
  var constants: [UInt32] { [UInt32(size), 1, 1, UInt32(columns), isWide ? 1 : 0] }

  /// The shader's MapShape.
  func append(to push: inout PushConstants) {
    for value in [samples, pixels, channels, block] { push.uint(value) }
  }
}

extension Int {
  /// The quotient by a positive number, rounded up.
  func dividedUp(by divisor: Int) -> Int { (self + divisor - 1) / divisor }

  /// The least power of two that is not below it.
  var nextPowerOfTwo: Int {
    var power = 1
    while power < self { power *= 2 }
    return power
  }
}
