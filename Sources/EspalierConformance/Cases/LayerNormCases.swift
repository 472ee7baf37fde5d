enum LayerNormCases {
  private static let small = [[2, 3, 37], [7, 8], [1, 2], [4, 65], [3, 640]]
  private static let sdxl = [[1, 4096, 640], [2, 1024, 1280], [2, 77, 2048]]

  static var all: [ConformanceCase] {
    var cases: [ConformanceCase] = []
    for types in CaseTypes.all {
      for shape in small {
        cases += [true, false].map { forward(shape, types, wantsStatistics: $0, .small) }
        cases += GroupNormCases.Wanted.all.map { backward(shape, types, $0, .small) }
      }
    }
    for types in CaseTypes.sdxl {
      for shape in sdxl {
        cases.append(forward(shape, types, wantsStatistics: true, .sdxl))
        cases.append(backward(shape, types, GroupNormCases.Wanted.all[0], .sdxl))
      }
    }
    return cases
  }

  private static func operands(_ shape: [Int], _ types: CaseTypes) -> [Operand] {
    let (storage, role) = types.weightOperand
    let width = [shape[shape.count - 1]]
    return [
      .random(shape, seed: 1, offset: 2, storage: types.activation),
      .random(width, seed: 2, storage: storage, role: role),
      .random(width, seed: 3, storage: storage, role: role),
    ]
  }

  private static func reference(_ operands: [Operand]) -> NormReference {
    NormReference(
      rowsOf: operands[0].values, gamma: operands[1].values, beta: operands[2].values)
  }

  private static func forward(
    _ shape: [Int], _ types: CaseTypes, wantsStatistics: Bool, _ shapes: ShapeSet
  ) -> ConformanceCase {
    let count = shape.reduce(1, *)
    let kept = wantsStatistics ? " with statistics" : ""
    return ConformanceCase(
      .layerNorm, "\(shape)\(kept), \(types.label)", activation: types.activation,
      weight: types.weight ?? .float32, shapes: shapes,
      work: .bytes(Double(2 * count * types.activation.byteCount)),
      triesInPlace: shapes == .small && !wantsStatistics
    ) {
      let operands = operands(shape, types)
      let reference = reference(operands)
      let rows = Array(shape.dropLast())
      let statistics = wantsStatistics ? OperationCall.Output(rows) : nil
      return .init(
        OperationCall(
          .layerNorm, operands, [.init(shape, types.activation), statistics, statistics],
          floats: [1e-5]),
        [
          .elements(of: count, .reduction, element: reference.output),
          .elements(of: rows.reduce(1, *), .elementwise) { reference.statistics($0).mean },
          .elements(of: rows.reduce(1, *), .reduction) { reference.statistics($0).rstd },
        ])
    }
  }

  private static func backward(
    _ shape: [Int], _ types: CaseTypes, _ wanted: GroupNormCases.Wanted, _ shapes: ShapeSet
  ) -> ConformanceCase {
    let count = shape.reduce(1, *)
    return ConformanceCase(
      .layerNormBackward, "\(shape) \(wanted.label), \(types.label)",
      activation: types.activation, weight: types.weight ?? .float32, shapes: shapes,
      work: .bytes(Double(3 * count * types.activation.byteCount)),
      triesInPlace: shapes == .small && wanted.residual
    ) {
      let operands = operands(shape, types)
      let rows = Array(shape.dropLast())
      let forward = reference(operands)
      let given = (0..<rows.reduce(1, *)).map(forward.statistics)
      let mean = Operand(rounding: given.map(\.mean), shape: rows)
      let rstd = Operand(rounding: given.map(\.rstd), shape: rows)
      let dy = Operand.random(shape, seed: 4, storage: types.activation)
      let residual =
        wanted.residual ? Operand.random(shape, seed: 5, storage: types.activation) : nil
      let vector = wanted.parameters ? OperationCall.Output(operands[1].shape) : nil
      let reference = reference(operands)
      reference.use(mean: mean.values, rstd: rstd.values)
      let parameters = wanted.parameters ? reference.parameterGradients(dy.values) : ([], [])
      // A row's gradient can be far below its terms, which rstd scales.
      let terms = rstd.values.reduce(1) { max($0, Double($1)) }
      return .init(
        OperationCall(
          .layerNormBackward, [dy, operands[0], mean, rstd, operands[1], residual],
          [wanted.dx ? .init(shape, types.activation) : nil, vector, vector]),
        [
          wanted.dx
            ? .elements(of: count, .reduction.atLeast(terms)) {
              reference.inputGradient($0, dy.values) + Double(residual?.values[$0] ?? 0)
            } : nil,
          wanted.parameters ? .all(parameters.0, .reduction.atLeast(1)) : nil,
          wanted.parameters ? .all(parameters.1, .reduction.atLeast(1)) : nil,
        ])
    }
  }
}
