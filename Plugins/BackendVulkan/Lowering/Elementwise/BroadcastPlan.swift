import EspalierABI

/// How b repeats over a: neighbouring axes along which b behaves alike are merged, the last is the row.
struct BroadcastPlan {
  /// The length of the row, the innermost merged axis.
  let rowLength: Int
  /// True if b has the row's elements, false if it is constant along the row.
  let hasRow: Bool
  /// The merged axes before the row; at most five, as a tensor has at most six.
  let sizes: [Int]
  /// b's steps along them, in elements; 0 where b repeats.
  let steps: [Int]

  /// nil if b does not repeat over a.
  ///
  /// - Parameters:
  ///   - mode: 0: right-aligned axes of size 1 or missing repeat; 1: b is [B,C] over a [B,…,C].
  init?(over a: [Int], of b: [Int], mode: Int) {
    guard let kept = Self.kept(over: a, of: b, mode: mode) else { return nil }
    var merged: [(size: Int, isKept: Bool)] = []
    for (size, isKept) in zip(a, kept) where size != 1 {
      if let last = merged.last, last.isKept == isKept {
        merged[merged.count - 1].size *= size
      } else {
        merged.append((size, isKept))
      }
    }
    let row = merged.popLast() ?? (1, true)
    var step = row.isKept ? row.size : 1
    var steps: [Int] = []
    for axis in merged.reversed() {
      steps.append(axis.isKept ? step : 0)
      if axis.isKept { step *= axis.size }
    }
    rowLength = row.size
    hasRow = row.isKept
    sizes = merged.map(\.size)
    self.steps = steps.reversed()
  }

  /// By axis of a: true where b has it.
  private static func kept(over a: [Int], of b: [Int], mode: Int) -> [Bool]? {
    switch mode {
    case 0:
      guard b.count <= a.count else { return nil }
      let aligned = [Int](repeating: 1, count: a.count - b.count) + b
      guard zip(aligned, a).allSatisfy({ $0 == 1 || $0 == $1 }) else { return nil }
      return zip(aligned, a).map { $0 == $1 }
    case 1:
      guard a.count >= 2, b == [a[0], a[a.count - 1]] else { return nil }
      return a.indices.map { $0 == 0 || $0 == a.count - 1 }
    default: return nil
    }
  }
}
