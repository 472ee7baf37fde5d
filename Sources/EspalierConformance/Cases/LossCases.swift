/// The loss, its gradient, the gradients' norm.
enum LossCases {
  static var all: [ConformanceCase] {
    CaseTypes.activations.flatMap { storage in
      [[3, 5, 7], [1, 4], [2, 9001, 3]].flatMap { loss($0, storage, .small) }
        + loss([2, 128, 128, 4], storage, .sdxl)
    } + squares
  }

  private static func operands(_ shape: [Int], _ storage: StorageType) -> [Operand] {
    [
      .random(shape, seed: 1, storage: storage), .random(shape, seed: 2, storage: storage),
      .random([shape[0]], seed: 3, scale: 0.2, offset: 1),
    ]
  }

  private static func loss(
    _ shape: [Int], _ storage: StorageType, _ shapes: ShapeSet
  ) -> [ConformanceCase] {
    let count = shape.reduce(1, *)
    let perSample = count / shape[0]
    let work = Work.bytes(Double(2 * count * storage.byteCount))
    let forward = [true, false].map { wantsSamples in
      ConformanceCase(
        .weightedMSE, "\(shape)\(wantsSamples ? " with samples" : ""), \(storage.name)",
        activation: storage, shapes: shapes, work: work
      ) {
        let inputs = operands(shape, storage)
        var means = [Double](repeating: 0, count: shape[0])
        for index in 0..<count {
          let difference = Double(inputs[0].values[index]) - Double(inputs[1].values[index])
          means[index / perSample] += difference * difference / Double(perSample)
        }
        let total = zip(inputs[2].values, means).reduce(0) { $0 + Double($1.0) * $1.1 }
        return .init(
          OperationCall(
            .weightedMSE, inputs, [.init([1]), wantsSamples ? .init([shape[0]]) : nil]),
          [.all([total / Double(shape[0])], .elementwise), .all(means, .elementwise)])
      }
    }
    let backward = ConformanceCase(
      .weightedMSEBackward, "\(shape), \(storage.name)", activation: storage, shapes: shapes,
      work: .bytes(Double(3 * count * storage.byteCount)), triesInPlace: shapes == .small
    ) {
      let inputs = operands(shape, storage)
      // Large enough for gradients in f16's normal range.
      let dLoss = Operand([0.37 * Float(count)], shape: [1])
      let factor = Double(dLoss.values[0]) * 2 / Double(count)
      return .init(
        OperationCall(.weightedMSEBackward, [dLoss] + inputs, [.init(shape, storage)]),
        [
          .elements(of: count, .elementwise, sample: .max) {
            let difference = Double(inputs[0].values[$0]) - Double(inputs[1].values[$0])
            return factor * Double(inputs[2].values[$0 / perSample]) * difference
          }
        ])
    }
    return forward + [backward]
  }

  private static var squares: [ConformanceCase] {
    let shapes = [[3], [40_001], [7, 7], [1], [16_384]]
    let large = [[320, 320, 3, 3], [1280, 640], [320], [640, 768, 3, 3]]
    return [Float?.none, .nan, .infinity, -.infinity].map { squares(shapes, spoiltBy: $0, .small) }
      + [squares(large, spoiltBy: nil, .sdxl)]
  }

  private static func squares(
    _ shapes: [[Int]], spoiltBy bad: Float?, _ set: ShapeSet
  ) -> ConformanceCase {
    ConformanceCase(
      .sumSquares, "\(shapes.count) tensors\(bad.map { " with \($0)" } ?? "")",
      activation: .float32, shapes: set,
      work: .bytes(Double(4 * shapes.reduce(0) { $0 + $1.reduce(1, *) }))
    ) {
      var tensors = shapes.enumerated().map { Operand.random($1, seed: UInt64($0)) }
      var expected = Expectation.all(
        [tensors.reduce(0) { $0 + dot($1.count, $1.values, 0, 1, $1.values, 0, 1) }], .elementwise)
      if let bad {
        var values = tensors[1].values
        values[values.count - 1] = bad
        tensors[1] = Operand(values, shape: shapes[1])
        expected.isNotFinite = true
      }
      return .init(OperationCall(.sumSquares, tensors, [.init([1])]), [expected])
    }
  }
}
