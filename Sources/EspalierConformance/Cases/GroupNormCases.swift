import EspalierABI

/// A group norm of x[B,…,C]: sizes, groups, activation, and the data's mean.
struct GroupNormSizes: Sendable {
  let shape: [Int]
  let groups: Int
  var act = ESP_ACT_NONE
  var offset = 0.0

  init(_ shape: [Int], _ groups: Int, act: Int32 = ESP_ACT_NONE, offset: Double = 0) {
    (self.shape, self.groups, self.act, self.offset) = (shape, groups, act, offset)
  }

  static let small = [
    GroupNormSizes([2, 3, 5, 12], 3),
    GroupNormSizes([1, 9, 10], 1, act: ESP_ACT_SILU),
    GroupNormSizes([3, 7, 3, 8], 8, act: ESP_ACT_SILU, offset: -3),
    GroupNormSizes([5, 3, 3, 33], 11, act: ESP_ACT_SILU),
    GroupNormSizes([2, 1, 16], 4, act: ESP_ACT_GELU),
    GroupNormSizes([1, 16], 2, act: ESP_ACT_QUICK_GELU),
    GroupNormSizes([1, 2, 3, 4], 2, act: ESP_ACT_SIGMOID),
    GroupNormSizes([2, 29, 19, 96], 32, act: ESP_ACT_SILU, offset: 1),
  ]

  static let sdxl = [
    GroupNormSizes([1, 128, 128, 320], 32, act: ESP_ACT_SILU),
    GroupNormSizes([1, 64, 64, 640], 32),
    GroupNormSizes([2, 32, 32, 1280], 32, act: ESP_ACT_SILU),
    GroupNormSizes([1, 256, 256, 128], 32, act: ESP_ACT_SILU),
  ]

  var channels: Int { shape[shape.count - 1] }
  var count: Int { shape.reduce(1, *) }
  var statistics: [Int] { [shape[0], groups] }
  var integers: [Int64] { [Int64(act), Int64(groups)] }
  var label: String {
    "\(shape) in \(groups) groups, \(Activation.name(act))\(offset == 0 ? "" : ", mean \(offset)")"
  }

  func operands(_ types: CaseTypes) -> [Operand] {
    let (storage, role) = types.weightOperand
    return [
      .random(shape, seed: 1, offset: offset, storage: types.activation),
      .random([channels], seed: 2, offset: 0.5, storage: storage, role: role),
      .random([channels], seed: 3, storage: storage, role: role),
    ]
  }

  func reference(_ operands: [Operand]) -> NormReference {
    NormReference(
      groupsOf: shape, groups, x: operands[0].values, gamma: operands[1].values,
      beta: operands[2].values, act: act)
  }
}

enum GroupNormCases {
  static var all: [ConformanceCase] {
    var cases: [ConformanceCase] = []
    for types in CaseTypes.all {
      for sizes in GroupNormSizes.small {
        cases += [true, false].map { forward(sizes, types, wantsStatistics: $0, .small) }
        cases += Wanted.all.map { backward(sizes, types, $0, .small) }
      }
    }
    for types in CaseTypes.sdxl {
      for sizes in GroupNormSizes.sdxl {
        cases.append(forward(sizes, types, wantsStatistics: true, .sdxl))
        cases.append(backward(sizes, types, Wanted.all[0], .sdxl))
      }
    }
    // The mean itself, about 1000, is rounded to f32: half an ulp is 3e-5 standard deviations.
    let large = GroupNormSizes([1, 23, 11, 64], 8, offset: 1000)
    cases.append(
      forward(large, CaseTypes(), wantsStatistics: true, .small, Tolerance(ofLargest: 5e-5)))
    return cases
  }

  /// Which gradients are wanted, and whether a residual is added to the first.
  struct Wanted: Sendable {
    let dx, parameters, residual: Bool

    static let all = [
      Wanted(dx: true, parameters: true, residual: true),
      Wanted(dx: true, parameters: false, residual: false),
      Wanted(dx: false, parameters: true, residual: false),
    ]

    var label: String {
      [dx ? "dx" : nil, parameters ? "dgamma dbeta" : nil, residual ? "residual" : nil]
        .compactMap { $0 }.joined(separator: " ")
    }
  }

  private static func forward(
    _ sizes: GroupNormSizes, _ types: CaseTypes, wantsStatistics: Bool, _ shapes: ShapeSet,
    _ tolerance: Tolerance = .reduction
  ) -> ConformanceCase {
    let kept = wantsStatistics ? " with statistics" : ""
    return ConformanceCase(
      .groupNorm, "\(sizes.label)\(kept), \(types.label)", activation: types.activation,
      weight: types.weight ?? .float32, shapes: shapes,
      work: .bytes(Double(2 * sizes.count * types.activation.byteCount)),
      triesInPlace: shapes == .small && !wantsStatistics
    ) {
      let operands = sizes.operands(types)
      let reference = sizes.reference(operands)
      let statistics = wantsStatistics ? OperationCall.Output(sizes.statistics) : nil
      let groups = sizes.statistics.reduce(1, *)
      return .init(
        OperationCall(
          .groupNorm, operands, [.init(sizes.shape, types.activation), statistics, statistics],
          integers: sizes.integers, floats: [1e-5]),
        [
          .elements(of: sizes.count, tolerance, element: reference.output),
          .elements(of: groups, .elementwise.atLeast(1)) { reference.statistics($0).mean },
          .elements(of: groups, .reduction) { reference.statistics($0).rstd },
        ])
    }
  }

  private static func backward(
    _ sizes: GroupNormSizes, _ types: CaseTypes, _ wanted: Wanted, _ shapes: ShapeSet
  ) -> ConformanceCase {
    ConformanceCase(
      .groupNormBackward, "\(sizes.label) \(wanted.label), \(types.label)",
      activation: types.activation, weight: types.weight ?? .float32, shapes: shapes,
      work: .bytes(Double(3 * sizes.count * types.activation.byteCount)),
      triesInPlace: shapes == .small && wanted.residual
    ) {
      let operands = sizes.operands(types)
      let groups = sizes.statistics.reduce(1, *)
      let forward = sizes.reference(operands)
      let given = (0..<groups).map(forward.statistics)
      let mean = Operand(rounding: given.map(\.mean), shape: sizes.statistics)
      let rstd = Operand(rounding: given.map(\.rstd), shape: sizes.statistics)
      let dy = Operand.random(sizes.shape, seed: 4, storage: types.activation)
      let residual =
        wanted.residual ? Operand.random(sizes.shape, seed: 5, storage: types.activation) : nil
      let vector = wanted.parameters ? OperationCall.Output([sizes.channels]) : nil
      let reference = sizes.reference(operands)
      reference.use(mean: mean.values, rstd: rstd.values)
      let parameters = wanted.parameters ? reference.parameterGradients(dy.values) : ([], [])
      return .init(
        OperationCall(
          .groupNormBackward, [dy, operands[0], mean, rstd, operands[1], operands[2], residual],
          [wanted.dx ? .init(sizes.shape, types.activation) : nil, vector, vector],
          integers: sizes.integers, floats: [1e-5]),
        [
          wanted.dx
            ? .elements(of: sizes.count, .reduction.atLeast(1)) {
              reference.inputGradient($0, dy.values) + Double(residual?.values[$0] ?? 0)
            } : nil,
          wanted.parameters ? .all(parameters.0, .reduction.atLeast(1)) : nil,
          wanted.parameters ? .all(parameters.1, .reduction.atLeast(1)) : nil,
        ])
    }
  }
}
