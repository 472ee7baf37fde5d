import VulkanShaders

/// A sum over some axes of a dense tensor, as `sum_to.comp` computes it.
struct Summation: Sendable {
  private let outputs: SumAxes
  private let terms: SumAxes
  private let isWide: Bool
  private let lastKept: Bool
  private let size: Int
  private let sumLanes: Int
  private let parts: Int
  private let limits: DeviceLimits

  /// `kept` says of each axis whether the result has it.
  init(dims: [Int], kept: [Bool], maxParts: Int = 256, limits: DeviceLimits) {
    self.limits = limits
    let layout = SumLayout(dims: dims, kept: kept)
    outputs = layout.outputs
    terms = layout.terms
    isWide = layout.isWide
    lastKept = layout.lastKept
    size = limits.reductionGroupSize
    let side = lastKept ? min(outputs.count.nextPowerOfTwo, 16) : 1
    sumLanes = max(1, min(terms.count.nextPowerOfTwo, size / side))
    let tiles = outputs.count.dividedUp(by: size / sumLanes)
    let wanted = min(limits.workgroupTarget / tiles, terms.count / (sumLanes * 16))
    parts = max(1, min(wanted, maxParts))
  }

  /// f32 elements of scratch.
  var partialCount: Int { parts > 1 ? parts * resultCount : 0 }

  private var resultCount: Int { isWide && lastKept ? outputs.count * 4 : outputs.count }

  typealias Storage = (region: Region, isHalf: Bool)

  /// One dispatch, or two where the sum is cut into parts.
  func dispatches(from x: Storage, to y: Storage, scratch: Region) -> [Dispatch] {
    guard parts > 1 else { return [dispatch(from: x, to: y)] }
    let partial = (region: scratch, isHalf: false)
    let rest = Summation(
      dims: [parts, resultCount], kept: [false, true], maxParts: 1, limits: limits)
    return [dispatch(from: x, to: partial), rest.dispatch(from: partial, to: y)]
  }

  private func dispatch(from x: Storage, to y: Storage) -> Dispatch {
    var push = PushConstants()
    let isFetched = limits.hasTexelFetch && isWide && !x.isHalf
    push.source(x.region, isFetched: isFetched)
    push.write(y.region)
    outputs.append(to: &push)
    terms.append(to: &push)
    let part = terms.count.dividedUp(by: parts)
    push.uint(part)
    push.uint(parts)
    let flags = [
      isWide, lastKept, x.isHalf, y.isHalf, outputs.axes.count == 1, terms.axes.count == 1,
    ]
    let tiles = outputs.count.dividedUp(by: size / sumLanes)
    return Dispatch(
      shader: ShaderVariant(
        "sum_to", ["ACT": x.isHalf || y.isHalf ? 1 : 0, "FETCH": isFetched ? 1 : 0]),
      constants: [UInt32(size), 1, 1, UInt32(sumLanes)] + flags.map { $0 ? 1 : 0 }, push: push,
      groups: limits.grid(tiles * parts), work: Double(outputs.count * terms.count))
  }
}

/// Axes that a result has, or that it lacks, outermost first; at least one, at most three.
struct SumAxes: Sendable {
  /// The size and the distance of neighbours in x.
  fileprivate(set) var axes: [(size: Int, step: Int)]

  var count: Int { axes.reduce(1) { $0 * $1.size } }

  /// The shader's Axes.
  func append(to push: inout PushConstants) {
    let padded = Array(repeating: (size: 1, step: 0), count: 3 - axes.count) + axes
    push.uint(count)
    for value in [padded[1].size, padded[2].size] { push.uint(value) }
    for axis in padded { push.uint(axis.step) }
  }
}

/// A tensor's axes with neighbours of one kind merged; sizes and steps in fours where all rows allow.
private struct SumLayout {
  var outputs = SumAxes(axes: [])
  var terms = SumAxes(axes: [])
  let isWide: Bool
  let lastKept: Bool

  init(dims: [Int], kept: [Bool]) {
    var merged: [(size: Int, isKept: Bool)] = []
    for (size, isKept) in zip(dims, kept) where size > 1 {
      if let last = merged.last, last.isKept == isKept {
        merged[merged.count - 1].size *= size
      } else {
        merged.append((size, isKept))
      }
    }
    lastKept = merged.last?.isKept ?? true
    isWide = (merged.last?.size ?? 1) % 4 == 0
    if isWide { merged[merged.count - 1].size /= 4 }
    var step = 1
    for axis in merged.reversed() {
      if axis.isKept {
        outputs.axes.insert((axis.size, step), at: 0)
      } else {
        terms.axes.insert((axis.size, step), at: 0)
      }
      step *= axis.size
    }
    if outputs.axes.isEmpty { outputs.axes = [(1, 0)] }
    if terms.axes.isEmpty { terms.axes = [(1, 0)] }
  }
}
