/// How the samples of a tensor [B,…] are cut into pieces, one for each workgroup.
struct SampleTiling: Sendable {
  let samples: Int
  /// Elements of a sample.
  let elementCount: Int
  /// Samples are read by fours.
  let isWide: Bool
  /// Invocations of a workgroup.
  let size: Int
  /// Elements or fours of a workgroup.
  let piece: Int

  init(of x: Operand, limits: DeviceLimits) {
    samples = x.firstDim
    elementCount = x.elementCount / samples
    isWide = elementCount % 4 == 0
    size = limits.reductionGroupSize
    let count = isWide ? elementCount / 4 : elementCount
    let rounds = max(4, min(64, count / (size * max(1, limits.workgroupTarget / samples))))
    piece = size * rounds
  }

  /// Elements or fours of a sample.
  var count: Int { isWide ? elementCount / 4 : elementCount }

  /// Of a sample.
  var pieces: Int { count.dividedUp(by: piece) }

  /// Specialisation constants 0 to 3.
  var constants: [UInt32] { [UInt32(size), 1, 1, isWide ? 1 : 0] }
}

/// Why operands of the weighted error do not fit, or nil.
func weightedErrorObjection(
  prediction: Operand, target: Operand, weight: Operand, on limits: DeviceLimits
) -> String? {
  guard !prediction.dims.isEmpty, target.dims == prediction.dims else {
    return "prediction and target differ in shape"
  }
  guard weight.elementCount == prediction.firstDim else { return "the weight is not [B]" }
  return float32Objection([weight]) ?? storageObjection([prediction, target], on: limits)
}
