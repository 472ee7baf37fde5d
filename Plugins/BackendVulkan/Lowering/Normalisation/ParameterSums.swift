import EspalierABI
import VulkanShaders

/// Sums over a map's pixels that a norm's backward pass needs: Σ dz and Σ dz·u for each channel, in parts.
struct ParameterSums: Sendable {
  let tiling: MapTiling
  /// [parts,C]: Σ dz
  let sums: Region
  /// [parts,C]: Σ dz·u
  let scaled: Region
  /// The scratch of adding up the parts, for each of the two.
  private let folding: [Region]
  private let summation: Summation
  private let limits: DeviceLimits

  init(_ tiling: MapTiling, scratch: inout Scratch, limits: DeviceLimits) {
    self.tiling = tiling
    self.limits = limits
    sums = scratch.floats(tiling.partialCount)
    scaled = scratch.floats(tiling.partialCount)
    summation = Summation(
      dims: [tiling.parts, tiling.channels], kept: [false, true], limits: limits)
    var folding: [Region] = []
    for _ in 0..<2 { folding.append(scratch.floats(summation.partialCount)) }
    self.folding = folding
  }

  /// Which statistics the rows of the map have.
  enum Statistics {
    /// mean and rstd are [B,G], and an activation follows the norm.
    case groups(Int, act: Int, gamma: Operand, beta: Operand)
    /// mean and rstd are one per row.
    case rows
  }

  /// Fills the two with partial sums.
  func dispatch(
    dy: Operand, x: Operand, mean: Operand, rstd: Operand, statistics: Statistics
  ) -> Dispatch {
    var push = PushConstants()
    let isFetched = limits.fetches([dy, x], byFours: tiling.isWide)
    for operand in [dy, x] { push.source(operand.region, isFetched: isFetched) }
    for operand in [mean, rstd] { push.read(operand) }
    var constants = tiling.constants
    var groups = 1
    if case .groups(let count, let act, let gamma, let beta) = statistics {
      push.read(gamma)
      push.read(beta)
      constants += [UInt32(act), UInt32(gamma.dtype), 0]
      groups = count
    } else {
      push.null()
      push.null()
      constants += [UInt32(ESP_ACT_NONE), 0, 1]
    }
    push.write(sums)
    push.write(scaled)
    tiling.append(to: &push)
    push.uint(groups)
    return Dispatch(
      shader: ShaderVariant(
        "norm_parameter_sums", ["ACT": x.storageVariant, "FETCH": isFetched ? 1 : 0]),
      constants: constants, push: push, groups: limits.grid(tiling.workgroups),
      work: Double(2 * x.elementCount))
  }

  /// Adds the parts up to dgamma and dbeta, those that are wanted.
  func gradients(gamma: Operand?, beta: Operand?) -> [Dispatch] {
    var all: [Dispatch] = []
    for (target, source, folding) in [(gamma, scaled, folding[0]), (beta, sums, folding[1])] {
      guard let target else { continue }
      all += summation.dispatches(
        from: (source, isHalf: false), to: (target.region, isHalf: false), scratch: folding)
    }
    return all
  }
}
