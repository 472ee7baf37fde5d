import EspalierABI

enum ElementwiseCases {
  static var all: [ConformanceCase] {
    var cases: [ConformanceCase] = []
    for activation in CaseTypes.activations {
      for act in Activation.all {
        cases += [Range.ordinary, .extreme, .notANumber].map { unary(act, $0, activation) }
        cases += [Range.ordinary, .extreme].map { unaryBackward(act, $0, activation) }
      }
      cases.append(unary(ESP_ACT_SILU, .large, activation))
      cases.append(unaryBackward(ESP_ACT_SILU, .large, activation))
      cases += [[3, 37], [1], [2, 8191]].map { scale($0, activation, .small) }
      cases.append(scale([1, 128, 128, 320], activation, .sdxl))
      for shape in [[1, 1], [2, 3, 5], [7, 37], [2, 1, 8_200]] {
        cases += geglu(shape, activation, .small)
      }
      cases +=
        geglu([1, 4096, 2560], activation, .sdxl) + geglu([2, 1024, 5120], activation, .sdxl)
    }
    return cases
  }

  /// Arguments of a function.
  private enum Range: String, Sendable {
    /// A dense grid over what a network's activations are.
    case ordinary = "from -12 to 12"
    /// Where exponentials overflow or vanish.
    case extreme = "to ±1e4"
    case notANumber = "NaN"
    case large = "a feature map"

    func operand(_ storage: StorageType) -> Operand {
      switch self {
      case .ordinary:
        Operand((0..<1205).map { Float($0 - 600) / 50 + 0.003 }, shape: [5, 241], storage: storage)
      case .extreme:
        Operand(
          [20, 30, 60, 88, 89, 100, 104, 120, 1e3, 1e4].flatMap { [$0, -$0] }, shape: [20],
          storage: storage)
      case .notANumber:
        Operand([Float](repeating: .nan, count: 19), shape: [19], storage: storage)
      case .large: Operand.random([1, 128, 128, 320], seed: 2, storage: storage)
      }
    }
  }

  private static func unary(
    _ act: Int32, _ range: Range, _ storage: StorageType
  ) -> ConformanceCase {
    let count = range == .large ? 128 * 128 * 320 : 1205
    return ConformanceCase(
      .unary, "\(Activation.name(act)) \(range.rawValue), \(storage.name)", activation: storage,
      shapes: range == .large ? .sdxl : .small,
      work: .bytes(Double(2 * count * storage.byteCount)), triesInPlace: range == .ordinary
    ) {
      let x = range.operand(storage)
      return .init(
        OperationCall(.unary, [x], [.init(x.shape, storage)], integers: [Int64(act)]),
        [.all(x.values.map { Activation.value(act, Double($0)) }, .function)])
    }
  }

  private static func unaryBackward(
    _ act: Int32, _ range: Range, _ storage: StorageType
  ) -> ConformanceCase {
    let count = range == .large ? 128 * 128 * 320 : 1205
    return ConformanceCase(
      .unaryBackward, "\(Activation.name(act)) \(range.rawValue), \(storage.name)",
      activation: storage, shapes: range == .large ? .sdxl : .small,
      work: .bytes(Double(3 * count * storage.byteCount)), triesInPlace: range == .ordinary
    ) {
      let x = range.operand(storage)
      let dy = Operand.random(x.shape, seed: 1, storage: storage)
      return .init(
        OperationCall(
          .unaryBackward, [dy, x], [.init(x.shape, storage)], integers: [Int64(act)]),
        [
          .all(
            zip(x.values, dy.values).map {
              Double($1) * Activation.derivative(act, Double($0))
            }, .elementwise)
        ])
    }
  }

  private static func scale(
    _ shape: [Int], _ storage: StorageType, _ shapes: ShapeSet
  ) -> ConformanceCase {
    ConformanceCase(
      .scale, "\(shape), \(storage.name)", activation: storage, shapes: shapes,
      work: .bytes(Double(2 * shape.reduce(storage.byteCount, *))),
      triesInPlace: shapes == .small
    ) {
      let x = Operand.random(shape, seed: 2, storage: storage)
      return .init(
        OperationCall(.scale, [x], [.init(shape, storage)], floats: [-0.75, 2.5]),
        [.all(x.values.map { -0.75 * Double($0) + 2.5 }, .elementwise)])
    }
  }

  /// Forward and backward of the same shape.
  private static func geglu(
    _ shape: [Int], _ storage: StorageType, _ shapes: ShapeSet
  ) -> [ConformanceCase] {
    let features = shape[shape.count - 1]
    let wide = Array(shape.dropLast()) + [2 * features]
    let (count, label) = (shape.reduce(1, *), "\(shape), \(storage.name)")
    let x = { @Sendable in Operand.random(wide, seed: 3, scale: 2, storage: storage) }
    /// The offsets of value and gate of an output.
    let place = { @Sendable (index: Int) -> (Int, Int) in
      let value = index / features * 2 * features + index % features
      return (value, value + features)
    }
    return [
      ConformanceCase(
        .geglu, label, activation: storage, shapes: shapes,
        work: .bytes(Double(3 * count * storage.byteCount))
      ) {
        let x = x()
        return .init(
          OperationCall(.geglu, [x], [.init(shape, storage)]),
          [
            .elements(of: count, .elementwise) {
              let (value, gate) = place($0)
              return Double(x.values[value])
                * Activation.value(ESP_ACT_GELU, Double(x.values[gate]))
            }
          ])
      },
      ConformanceCase(
        .gegluBackward, label, activation: storage, shapes: shapes,
        work: .bytes(Double(5 * count * storage.byteCount)), triesInPlace: shapes == .small
      ) {
        let x = x()
        let dy = Operand.random(shape, seed: 4, storage: storage)
        return .init(
          OperationCall(.gegluBackward, [dy, x], [.init(wide, storage)]),
          [
            .elements(of: 2 * count, .elementwise) {
              let (row, column) = ($0 / (2 * features), $0 % (2 * features))
              let output = row * features + column % features
              let (value, gate) = place(output)
              let (d, g) = (Double(dy.values[output]), Double(x.values[gate]))
              return column < features
                ? d * Activation.value(ESP_ACT_GELU, g)
                : d * Double(x.values[value]) * Activation.derivative(ESP_ACT_GELU, g)
            }
          ])
      },
    ]
  }
}
