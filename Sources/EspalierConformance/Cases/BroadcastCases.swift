import EspalierABI

/// Two shapes and the mode of add, mul and sum_to.
struct BroadcastSizes: Sendable {
  let large, small: [Int]
  var mode: Int64 = 0

  init(_ large: [Int], _ small: [Int], mode: Int64 = 0) {
    (self.large, self.small, self.mode) = (large, small, mode)
  }

  static let small = [
    BroadcastSizes([3, 5, 7], [3, 5, 7]),
    BroadcastSizes([3, 5, 7], [7]),
    BroadcastSizes([3, 5, 7], [1]),
    BroadcastSizes([3, 5, 7], []),
    BroadcastSizes([3, 5, 7], [5, 1]),
    BroadcastSizes([3, 5, 7], [3, 1, 7]),
    BroadcastSizes([3, 5, 7], [3, 1, 1]),
    BroadcastSizes([2, 3, 2, 5, 2, 3], [3, 1, 5, 1, 3]),
    BroadcastSizes([2, 3, 2, 5, 2, 3], [2, 1, 2, 1, 2, 1]),
    BroadcastSizes([2, 17_000], [17_000]),
    BroadcastSizes([1, 33_000], [33_000]),
    BroadcastSizes([700, 33], [33]),
    BroadcastSizes([2, 3, 5, 7], [2, 7], mode: 1),
    BroadcastSizes([3, 800, 5], [3, 5], mode: 1),
    BroadcastSizes([4, 6], [4, 6], mode: 1),
  ]

  static let sdxl = [
    BroadcastSizes([1, 128, 128, 320], [1, 128, 128, 320]),
    BroadcastSizes([1, 128, 128, 320], [320]),
    BroadcastSizes([2, 64, 64, 640], [2, 640], mode: 1),
  ]

  var label: String { "\(large) with \(small)\(mode == 1 ? " by sample" : "")" }
  var count: Int { large.reduce(1, *) }

  /// The offset in the small tensor of every element of the large one.
  var offsets: [Int] {
    let aligned =
      mode == 1
      ? [small[0]] + [Int](repeating: 1, count: large.count - 2) + [small[1]]
      : [Int](repeating: 1, count: large.count - small.count) + small
    var offsets = [0]
    for (size, other) in zip(large, aligned) {
      offsets = offsets.flatMap { start in
        (0..<size).map { start * other + (other == 1 ? 0 : $0) }
      }
    }
    return offsets
  }
}

enum BroadcastCases {
  static var all: [ConformanceCase] {
    var cases: [ConformanceCase] = []
    for (sizes, shapes) in BroadcastSizes.small.map({ ($0, ShapeSet.small) })
      + BroadcastSizes.sdxl.map({ ($0, .sdxl) })
    {
      for operation in [OperationCode.add, .mul] {
        for activation in CaseTypes.activations {
          cases.append(combine(operation, sizes, activation, weight: nil, shapes))
          guard shapes == .small else { continue }
          cases += [.float32, .float16, .bfloat16].map {
            combine(operation, sizes, activation, weight: $0, shapes)
          }
        }
      }
      cases.append(sum(sizes, .float32, to: .float32, shapes))
      cases.append(sum(sizes, .float16, to: .float32, shapes))
      cases.append(sum(sizes, .float16, to: .float16, shapes))
    }
    return cases
  }

  /// - Parameter weight: The storage type of b as a weight; nil: b is an activation.
  private static func combine(
    _ operation: OperationCode, _ sizes: BroadcastSizes, _ activation: StorageType,
    weight: StorageType?, _ shapes: ShapeSet
  ) -> ConformanceCase {
    let types = "\(activation.name)\(weight.map { ", b a weight in \($0.name)" } ?? "")"
    return ConformanceCase(
      operation, "\(sizes.label), \(types)", activation: activation, weight: weight ?? .float32,
      shapes: shapes,
      work: .bytes(
        Double(2 * sizes.count * activation.byteCount)
          + Double(sizes.small.reduce(1, *) * (weight ?? activation).byteCount)),
      triesInPlace: shapes == .small && sizes.small == sizes.large
    ) {
      let a = Operand.random(sizes.large, seed: 1, storage: activation)
      let b = Operand.random(
        sizes.small, seed: 2, storage: weight ?? activation, role: weight == nil ? .input : .weight)
      let offsets = sizes.offsets
      return .init(
        OperationCall(
          operation, [a, b], [.init(sizes.large, activation)], integers: [sizes.mode]),
        [
          .elements(of: sizes.count, .elementwise, sample: .max) { place in
            let (x, y) = (Double(a.values[place]), Double(b.values[offsets[place]]))
            return operation == .add ? x + y : x * y
          }
        ])
    }
  }

  private static func sum(
    _ sizes: BroadcastSizes, _ activation: StorageType, to result: StorageType, _ shapes: ShapeSet
  ) -> ConformanceCase {
    ConformanceCase(
      .sumTo, "\(sizes.label), \(activation.name) to \(result.name)", activation: activation,
      shapes: shapes, work: .bytes(Double(sizes.count * activation.byteCount))
    ) {
      let x = Operand.random(sizes.large, seed: 3, offset: 0.5, storage: activation)
      var expected = [Double](repeating: 0, count: sizes.small.reduce(1, *))
      for (place, offset) in sizes.offsets.enumerated() {
        expected[offset] += Double(x.values[place])
      }
      return .init(
        OperationCall(.sumTo, [x], [.init(sizes.small, result)], integers: [sizes.mode]),
        [.all(expected, .elementwise)])
    }
  }
}
