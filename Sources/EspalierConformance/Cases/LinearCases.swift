import EspalierABI

/// Sizes of a linear layer: x[M,K] by w[N,K].
struct LinearSizes: Sendable {
  let rows, inputs, outputs: Int

  init(_ rows: Int, _ inputs: Int, _ outputs: Int) {
    (self.rows, self.inputs, self.outputs) = (rows, inputs, outputs)
  }

  static let small = [
    LinearSizes(1, 1, 1), LinearSizes(7, 5, 3), LinearSizes(77, 33, 65), LinearSizes(3, 129, 40),
    LinearSizes(130, 64, 96), LinearSizes(65, 320, 33), LinearSizes(1, 320, 128),
  ]

  /// Attention and feed-forward layers of both levels, text projections, and the time embedding.
  static let sdxl = [
    LinearSizes(4096, 640, 640), LinearSizes(4096, 640, 5120), LinearSizes(4096, 2560, 640),
    LinearSizes(1024, 1280, 10240), LinearSizes(1024, 5120, 1280), LinearSizes(77, 2048, 1280),
    LinearSizes(1, 2816, 1280),
  ]

  var label: String { "\(rows)×\(inputs) to \(outputs)" }
  var work: Work { .operations(2 * Double(rows) * Double(inputs) * Double(outputs)) }
}

/// What a linear layer has besides its product.
private struct LinearEpilogue {
  var hasBias = false
  var hasResidual = false
  var act = ESP_ACT_NONE

  var label: String {
    let parts = [
      hasBias ? "bias" : nil, act == ESP_ACT_NONE ? nil : Activation.name(act),
      hasResidual ? "residual" : nil,
    ].compactMap { $0 }
    return parts.isEmpty ? "bare" : parts.joined(separator: "+")
  }

  static func all(_ turn: Int) -> [LinearEpilogue] {
    let act = Activation.all[turn % Activation.all.count]
    return [
      LinearEpilogue(), LinearEpilogue(hasBias: true), LinearEpilogue(hasResidual: true),
      LinearEpilogue(hasBias: true, hasResidual: true, act: act),
    ]
  }
}

enum LinearCases {
  static var all: [ConformanceCase] { forward + dx + dw }

  private static var forward: [ConformanceCase] {
    var cases: [ConformanceCase] = []
    for (turn, sizes) in LinearSizes.small.enumerated() {
      for (kind, types) in CaseTypes.all.enumerated() {
        cases += LinearEpilogue.all(turn + kind).map { forward(sizes, types, $0, .small) }
      }
    }
    for act in Activation.all {
      let full = LinearEpilogue(hasBias: true, hasResidual: true, act: act)
      cases += CaseTypes.activations.map {
        forward(LinearSizes(9, 24, 24), CaseTypes(activation: $0), full, .small)
      }
    }
    for types in CaseTypes.sdxl {
      cases += LinearSizes.sdxl.map { forward($0, types, LinearEpilogue(hasBias: true), .sdxl) }
    }
    return cases
  }

  private static func forward(
    _ sizes: LinearSizes, _ types: CaseTypes, _ epilogue: LinearEpilogue, _ shapes: ShapeSet
  ) -> ConformanceCase {
    let (m, k, n) = (sizes.rows, sizes.inputs, sizes.outputs)
    return ConformanceCase(
      .linear, "\(sizes.label) \(epilogue.label), \(types.label)", activation: types.activation,
      weight: types.weight ?? .float32, shapes: shapes, work: sizes.work,
      triesInPlace: shapes == .small && k == n
    ) {
      let (storage, role) = types.weightOperand
      let x = Operand.random([1, m, k], seed: 1, storage: types.activation)
      let w = Operand.random([n, k], seed: 2, storage: storage, role: role)
      let bias =
        epilogue.hasBias ? Operand.random([n], seed: 3, storage: storage, role: role) : nil
      let residual =
        epilogue.hasResidual
        ? Operand.random([1, m, n], seed: 4, storage: types.activation) : nil
      let call = OperationCall(
        .linear, [x, w, bias, residual], [.init([1, m, n], types.activation)],
        integers: [Int64(epilogue.act)])
      return .init(
        call,
        [
          .elements(of: m * n, .reduction, sample: shapes.productSample) { place in
            let (row, column) = (place / n, place % n)
            let sum = dot(k, x.values, row * k, 1, w.values, column * k, 1)
            return Activation.value(epilogue.act, sum + Double(bias?.values[column] ?? 0))
              + Double(residual?.values[place] ?? 0)
          }
        ])
    }
  }

  private static var dx: [ConformanceCase] {
    var cases: [ConformanceCase] = []
    for hasResidual in [false, true] {
      for types in CaseTypes.all {
        cases += LinearSizes.small.map { dx($0, types, hasResidual, .small) }
      }
    }
    for types in CaseTypes.sdxl {
      cases += LinearSizes.sdxl.map { dx($0, types, false, .sdxl) }
    }
    return cases + [dx(LinearSizes(9, 24, 24), CaseTypes(), true, .small)]
  }

  private static func dx(
    _ sizes: LinearSizes, _ types: CaseTypes, _ hasResidual: Bool, _ shapes: ShapeSet
  ) -> ConformanceCase {
    let (m, k, n) = (sizes.rows, sizes.inputs, sizes.outputs)
    return ConformanceCase(
      .linearDX, "\(sizes.label)\(hasResidual ? " residual" : ""), \(types.label)",
      activation: types.activation, weight: types.weight ?? .float32, shapes: shapes,
      work: sizes.work, triesInPlace: shapes == .small && k == n
    ) {
      let (storage, role) = types.weightOperand
      let dy = Operand.random([m, n], seed: 5, storage: types.activation)
      let w = Operand.random([n, k], seed: 2, storage: storage, role: role)
      let residual =
        hasResidual ? Operand.random([m, k], seed: 6, storage: types.activation) : nil
      let call = OperationCall(
        .linearDX, [dy, w, residual], [.init([m, k], types.activation)])
      return .init(
        call,
        [
          .elements(of: m * k, .reduction, sample: shapes.productSample) { place in
            dot(n, dy.values, place / k * n, 1, w.values, place % k, k)
              + Double(residual?.values[place] ?? 0)
          }
        ])
    }
  }

  private static var dw: [ConformanceCase] {
    CaseTypes.activations.flatMap { activation in
      LinearSizes.small.map { dw($0, activation, .small) }
        + LinearSizes.sdxl.map { dw($0, activation, .sdxl) }
    }
  }

  private static func dw(
    _ sizes: LinearSizes, _ activation: StorageType, _ shapes: ShapeSet
  ) -> ConformanceCase {
    let (m, k, n) = (sizes.rows, sizes.inputs, sizes.outputs)
    return ConformanceCase(
      .linearDW, "\(sizes.label), \(activation.name)", activation: activation, shapes: shapes,
      work: sizes.work
    ) {
      let dy = Operand.random([m, n], seed: 5, storage: activation)
      let x = Operand.random([m, k], seed: 1, storage: activation)
      return .init(
        OperationCall(.linearDW, [dy, x], [.init([n, k])]),
        [
          .elements(of: n * k, .reduction, sample: shapes.productSample) { place in
            dot(m, dy.values, place / k, n, x.values, place % k, k)
          }
        ])
    }
  }
}
