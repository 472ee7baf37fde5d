import EspalierABI

/// What a convolution has besides its product.
private struct ConvolutionEpilogue {
  var hasBias = false
  var hasChannel = false
  var hasResidual = false
  var act = ESP_ACT_NONE

  var label: String {
    let parts = [
      hasBias ? "bias" : nil, hasChannel ? "channel" : nil,
      act == ESP_ACT_NONE ? nil : Activation.name(act), hasResidual ? "residual" : nil,
    ].compactMap { $0 }
    return parts.isEmpty ? "bare" : parts.joined(separator: "+")
  }

  static func all(_ turn: Int) -> [ConvolutionEpilogue] {
    let act = Activation.all[turn % Activation.all.count]
    return [
      ConvolutionEpilogue(), ConvolutionEpilogue(hasBias: true, act: act),
      ConvolutionEpilogue(hasBias: true, hasChannel: true),
      ConvolutionEpilogue(hasBias: true, hasChannel: true, hasResidual: true, act: act),
    ]
  }
}

enum ConvolutionCases {
  static var all: [ConformanceCase] { forward + dx + dw }

  private static var forward: [ConformanceCase] {
    var cases: [ConformanceCase] = []
    for (turn, sizes) in ConvolutionSizes.small.enumerated() {
      for (kind, types) in CaseTypes.all.enumerated() {
        cases += ConvolutionEpilogue.all(turn + kind).map { forward(sizes, types, $0, .small) }
      }
    }
    for types in CaseTypes.sdxl {
      cases += ConvolutionSizes.sdxl.map {
        forward($0, types, ConvolutionEpilogue(hasBias: true), .sdxl)
      }
    }
    return cases
  }

  private static func forward(
    _ sizes: ConvolutionSizes, _ types: CaseTypes, _ epilogue: ConvolutionEpilogue,
    _ shapes: ShapeSet
  ) -> ConformanceCase {
    let shape = sizes.outputShape
    let (batch, filters) = (shape[0], shape[3])
    return ConformanceCase(
      .conv2D, "\(sizes.label) \(epilogue.label), \(types.label)", activation: types.activation,
      weight: types.weight ?? .float32, shapes: shapes, work: sizes.work,
      triesInPlace: shapes == .small && epilogue.hasResidual
    ) {
      let (storage, role) = types.weightOperand
      let activation = types.activation
      let x = Operand.random(sizes.map, seed: 1, storage: activation)
      let w = Operand.random(sizes.weightShape, seed: 2, storage: storage, role: role)
      let bias =
        epilogue.hasBias ? Operand.random([filters], seed: 3, storage: storage, role: role) : nil
      let channel =
        epilogue.hasChannel
        ? Operand.random([batch, filters], seed: 4, storage: activation) : nil
      let residual =
        epilogue.hasResidual ? Operand.random(shape, seed: 5, storage: activation) : nil
      let perSample = shape[1] * shape[2] * filters
      let call = OperationCall(
        .conv2D, [x, w, bias, channel, residual], [.init(shape, activation)],
        integers: sizes.integers(epilogue.act))
      return .init(
        call,
        [
          .elements(of: batch * perSample, .convolution, sample: shapes.productSample) { place in
            let o = place % filters
            let sum =
              sizes.output(place, x.values, w.values) + Double(bias?.values[o] ?? 0)
              + Double(channel?.values[place / perSample * filters + o] ?? 0)
            return Activation.value(epilogue.act, sum) + Double(residual?.values[place] ?? 0)
          }
        ])
    }
  }

  private static var dx: [ConformanceCase] {
    var cases: [ConformanceCase] = []
    for hasResidual in [false, true] {
      for types in CaseTypes.all {
        cases += ConvolutionSizes.small.map { dx($0, types, hasResidual, .small) }
      }
    }
    for types in CaseTypes.sdxl {
      cases += ConvolutionSizes.sdxl.map { dx($0, types, false, .sdxl) }
    }
    return cases
  }

  private static func dx(
    _ sizes: ConvolutionSizes, _ types: CaseTypes, _ hasResidual: Bool, _ shapes: ShapeSet
  ) -> ConformanceCase {
    ConformanceCase(
      .conv2DDX, "\(sizes.label)\(hasResidual ? " residual" : ""), \(types.label)",
      activation: types.activation, weight: types.weight ?? .float32, shapes: shapes,
      work: sizes.work, triesInPlace: shapes == .small && hasResidual
    ) {
      let (storage, role) = types.weightOperand
      let dy = Operand.random(sizes.outputShape, seed: 6, storage: types.activation)
      let w = Operand.random(sizes.weightShape, seed: 2, storage: storage, role: role)
      let residual =
        hasResidual ? Operand.random(sizes.map, seed: 7, storage: types.activation) : nil
      return .init(
        OperationCall(
          .conv2DDX, [dy, w, residual], [.init(sizes.map, types.activation)],
          integers: sizes.integers(0)),
        [
          .elements(of: sizes.map.reduce(1, *), .convolution, sample: shapes.productSample) {
            sizes.inputGradient($0, dy.values, w.values) + Double(residual?.values[$0] ?? 0)
          }
        ])
    }
  }

  private static var dw: [ConformanceCase] {
    CaseTypes.activations.flatMap { activation in
      ConvolutionSizes.small.map { dw($0, activation, .small) }
        + ConvolutionSizes.sdxl.map { dw($0, activation, .sdxl) }
    }
  }

  private static func dw(
    _ sizes: ConvolutionSizes, _ activation: StorageType, _ shapes: ShapeSet
  ) -> ConformanceCase {
    ConformanceCase(
      .conv2DDW, "\(sizes.label), \(activation.name)", activation: activation, shapes: shapes,
      work: sizes.work
    ) {
      let dy = Operand.random(sizes.outputShape, seed: 6, storage: activation)
      let x = Operand.random(sizes.map, seed: 1, storage: activation)
      return .init(
        OperationCall(
          .conv2DDW, [dy, x], [.init(sizes.weightShape)], integers: sizes.integers(0)),
        [
          .elements(
            of: sizes.weightShape.reduce(1, *), .convolution, sample: shapes.productSample
          ) { sizes.weightGradient($0, dy.values, x.values) }
        ])
    }
  }
}
