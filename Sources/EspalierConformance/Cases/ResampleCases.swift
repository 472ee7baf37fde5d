/// Nearest-neighbour upsampling and 2×2 pooling.
enum ResampleCases {
  static var all: [ConformanceCase] {
    CaseTypes.activations.flatMap { storage in
      [[5, 7, 10, 14], [3, 4, 7, 9], [5, 5, 3, 2], [1, 1, 4, 3]].flatMap {
        upsample([2, $0[0], $0[1], 6], to: ($0[2], $0[3]), storage, .small)
      }
        + upsample([1, 64, 64, 640], to: (128, 128), storage, .sdxl)
        + [[4, 6], [5, 7], [1, 1], [1, 4], [3, 2]].flatMap {
          pool([2, $0[0], $0[1], 5], storage, .small)
        } + pool([1, 64, 64, 320], storage, .sdxl)
    }
  }

  /// Calls `body` with the offset in the large and in the small map, over [B,H,W,C].
  private static func forEach(
    _ shape: [Int], _ other: [Int], _ source: (Int, Int) -> (Int, Int),
    _ body: (_ place: Int, _ other: Int) -> Void
  ) {
    var place = 0
    for b in 0..<shape[0] {
      for row in 0..<shape[1] {
        for column in 0..<shape[2] {
          let (y, x) = source(row, column)
          let start = ((b * other[1] + y) * other[2] + x) * shape[3]
          for c in 0..<shape[3] { body(place + c, start + c) }
          place += shape[3]
        }
      }
    }
  }

  private static func upsample(
    _ shape: [Int], to sides: (Int, Int), _ storage: StorageType, _ shapes: ShapeSet
  ) -> [ConformanceCase] {
    let target = [shape[0], sides.0, sides.1, shape[3]]
    let (count, targetCount) = (shape.reduce(1, *), target.reduce(1, *))
    let work = Work.bytes(Double((count + targetCount) * storage.byteCount))
    let label = "\(shape) to \(target), \(storage.name)"
    /// In a fixed order, over all elements of the target.
    let walk = { @Sendable (body: (Int, Int) -> Void) in
      forEach(target, shape, { ($0 * shape[1] / sides.0, $1 * shape[2] / sides.1) }, body)
    }
    return [
      ConformanceCase(.upsampleNearest, label, activation: storage, shapes: shapes, work: work) {
        let x = Operand.random(shape, seed: 1, storage: storage)
        var expected = [Double](repeating: 0, count: targetCount)
        walk { expected[$0] = Double(x.values[$1]) }
        return .init(
          OperationCall(.upsampleNearest, [x], [.init(target, storage)]), [.all(expected, .exact)])
      },
      ConformanceCase(
        .upsampleNearestBackward, label, activation: storage, shapes: shapes, work: work
      ) {
        let dy = Operand.random(target, seed: 2, storage: storage)
        var expected = [Double](repeating: 0, count: count)
        walk { expected[$1] += Double(dy.values[$0]) }
        return .init(
          OperationCall(.upsampleNearestBackward, [dy], [.init(shape, storage)]),
          [.all(expected, .elementwise)])
      },
    ]
  }

  private static func pool(
    _ shape: [Int], _ storage: StorageType, _ shapes: ShapeSet
  ) -> [ConformanceCase] {
    let target = [shape[0], (shape[1] + 1) / 2, (shape[2] + 1) / 2, shape[3]]
    let (count, targetCount) = (shape.reduce(1, *), target.reduce(1, *))
    let work = Work.bytes(Double((count + targetCount) * storage.byteCount))
    let walk = { @Sendable (body: (Int, Int) -> Void) in
      forEach(shape, target, { ($0 / 2, $1 / 2) }, body)
    }
    /// How many elements the window of a pooled one covers.
    let covered = { @Sendable (pooled: Int) -> Double in
      let (x, y) = (pooled / shape[3] % target[2], pooled / (shape[3] * target[2]) % target[1])
      return Double(min(2, shape[1] - 2 * y) * min(2, shape[2] - 2 * x))
    }
    return [
      ConformanceCase(
        .avgPool2D, "\(shape), \(storage.name)", activation: storage, shapes: shapes, work: work
      ) {
        let x = Operand.random(shape, seed: 1, storage: storage)
        var expected = [Double](repeating: 0, count: targetCount)
        walk { expected[$1] += Double(x.values[$0]) / covered($1) }
        return .init(
          OperationCall(.avgPool2D, [x], [.init(target, storage)]), [.all(expected, .elementwise)])
      },
      ConformanceCase(
        .avgPool2DBackward, "\(shape), \(storage.name)", activation: storage, shapes: shapes,
        work: work
      ) {
        let dy = Operand.random(target, seed: 2, storage: storage)
        var expected = [Double](repeating: 0, count: count)
        walk { expected[$0] = Double(dy.values[$1]) / covered($1) }
        return .init(
          OperationCall(.avgPool2DBackward, [dy], [.init(shape, storage)]),
          [.all(expected, .elementwise)])
      },
    ]
  }
}
