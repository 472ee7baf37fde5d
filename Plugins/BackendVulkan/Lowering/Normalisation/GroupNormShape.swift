import EspalierABI

/// The sizes of a group norm over x[B,…,C].
struct GroupNormShape: Sendable {
  let samples: Int
  let pixels: Int
  let channels: Int
  let groups: Int

  /// Fails where the channels do not divide into the groups.
  init?(of x: Operand, groups: Int) {
    guard x.dims.count >= 2, groups >= 1, x.lastDim % groups == 0 else { return nil }
    samples = x.firstDim
    channels = x.lastDim
    pixels = x.elementCount / samples / channels
    self.groups = groups
  }

  /// Elements of mean and rstd.
  var statisticCount: Int { samples * groups }

  /// How each invocation gets `pixelRange` of the pixels.
  func tiling(_ pixelRange: ClosedRange<Int>, on limits: DeviceLimits) -> MapTiling {
    MapTiling(
      samples: samples, pixels: pixels, channels: channels, pixelRange: pixelRange, limits: limits)
  }
}

/// Why a norm's gamma or beta, each [C], cannot be used, or nil.
func parameterObjection(_ vectors: [Operand?], channels: Int) -> String? {
  guard vectors.allSatisfy({ $0 == nil || $0?.elementCount == channels }) else {
    return "gamma or beta is not [C]"
  }
  return weightObjection(vectors)
}

/// Why f32 vectors cannot be statistics or gradients of `count` elements, or nil.
func vectorObjection(_ vectors: [Operand?], count: Int) -> String? {
  guard vectors.allSatisfy({ $0 == nil || $0?.elementCount == count }) else {
    return "statistics or gradients of parameters have the wrong size"
  }
  return float32Objection(vectors)
}
