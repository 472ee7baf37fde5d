/// Sizes of an attention: q[B,Nq,h·d], k and v [B,Nk,h·d].
public struct AttentionSizes: Sendable {
  let batch, queries, keys, heads, width: Int
  var isCausal = false
  /// Key n is key n mod period; nil: all differ.
  var period: Int?
  /// Standard deviation of queries and keys.
  var strength = 1.5

  /// B, Nq, Nk, h and d, in this order.
  public init(
    _ batch: Int, _ queries: Int, _ keys: Int, heads: Int, width: Int, isCausal: Bool = false,
    period: Int? = nil, strength: Double = 1.5
  ) {
    (self.batch, self.queries, self.keys) = (batch, queries, keys)
    (self.heads, self.width, self.isCausal) = (heads, width, isCausal)
    (self.period, self.strength) = (period, strength)
  }

  static let small = [
    AttentionSizes(1, 1, 1, heads: 1, width: 8),
    AttentionSizes(2, 5, 3, heads: 2, width: 9),
    AttentionSizes(1, 7, 7, heads: 3, width: 8, isCausal: true),
    AttentionSizes(1, 4, 19, heads: 1, width: 16),
    AttentionSizes(1, 3, 5, heads: 1, width: 33),
    AttentionSizes(1, 77, 77, heads: 1, width: 64, isCausal: true),
    AttentionSizes(1, 39, 77, heads: 2, width: 40),
    AttentionSizes(2, 1, 77, heads: 1, width: 64),
    AttentionSizes(1, 33, 1, heads: 1, width: 80),
    AttentionSizes(1, 67, 65, heads: 1, width: 80, isCausal: true),
    AttentionSizes(1, 35, 130, heads: 1, width: 128),
    AttentionSizes(1, 18, 77, heads: 1, width: 160),
    AttentionSizes(1, 17, 17, heads: 1, width: 160, isCausal: true),
    AttentionSizes(1, 9, 35, heads: 1, width: 512),
    AttentionSizes(1, 21, 21, heads: 1, width: 512, isCausal: true),
    AttentionSizes(1, 300, 301, heads: 1, width: 40),
    AttentionSizes(3, 64, 64, heads: 2, width: 32),
  ]

  /// Both levels of the U-Net, with itself and with the text; the decoder's; the text encoders'.
  static let sdxl = [
    AttentionSizes(1, 4096, 4096, heads: 10, width: 64, period: 67),
    AttentionSizes(1, 4096, 77, heads: 10, width: 64),
    AttentionSizes(2, 1024, 1024, heads: 20, width: 64, period: 67),
    AttentionSizes(2, 1024, 77, heads: 20, width: 64),
    AttentionSizes(1, 4096, 4096, heads: 1, width: 512, period: 67),
    AttentionSizes(2, 77, 77, heads: 12, width: 64, isCausal: true),
  ]

  /// Of q and o.
  public var queryShape: [Int] { [batch, queries, heads * width] }
  /// Of k and v.
  public var keyShape: [Int] { [batch, keys, heads * width] }
  var statistics: [Int] { [batch, heads, queries] }
  var scale: Double { 1 / Double(width).squareRoot() }
  var integers: [Int64] { [Int64(heads), isCausal ? 1 : 0] }
  var label: String {
    "B\(batch) Nq\(queries) Nk\(keys) h\(heads) d\(width)\(isCausal ? " causal" : "")"
  }

  /// Of the forward pass: two products, half of them hidden if causal.
  var operations: Double {
    4 * Double(batch * heads) * Double(queries) * Double(keys) * Double(width)
      * (isCausal ? 0.5 : 1)
  }

  func operands(_ activation: StorageType) -> [Operand] {
    var key = Operand.random(keyShape, seed: 2, scale: strength, storage: activation)
    if let period {
      let row = heads * width
      let values = key.values.indices.map { place in
        let (token, rest) = (place / row, place % row)
        return key.values[(token / keys * keys + token % keys % period) * row + rest]
      }
      key = Operand(values, shape: keyShape, storage: activation)
    }
    return [
      .random(queryShape, seed: 1, scale: strength, storage: activation), key,
      .random(keyShape, seed: 3, storage: activation),
    ]
  }

  func reference(_ operands: [Operand]) -> AttentionReference {
    AttentionReference(
      sizes: self, q: operands[0].values, k: operands[1].values, v: operands[2].values)
  }
}

enum AttentionCases {
  static var all: [ConformanceCase] { forward + backward }

  /// f16 products with f32 sums: where q and k are f16, the weights may be rounded to f16 too.
  private static func tolerance(_ activation: StorageType) -> Tolerance {
    activation == .float16 ? Tolerance(ofLargest: 1e-3) : .reduction
  }

  private static var forward: [ConformanceCase] {
    var cases: [ConformanceCase] = []
    for activation in CaseTypes.activations {
      for sizes in AttentionSizes.small {
        cases += [true, false].map { forward(sizes, activation, wantsStatistics: $0, .small) }
      }
      cases += AttentionSizes.sdxl.map { forward($0, activation, wantsStatistics: true, .sdxl) }
    }
    // Scores of about 9000 have an ulp of 1e-3, which is the weights' relative error.
    let strong = AttentionSizes(1, 50, 300, heads: 1, width: 32, strength: 40)
    let loose = Tolerance(ofLargest: 3e-3)
    cases.append(forward(strong, .float32, wantsStatistics: true, .small, loose))
    return cases
  }

  private static func forward(
    _ sizes: AttentionSizes, _ activation: StorageType, wantsStatistics: Bool, _ shapes: ShapeSet,
    _ tolerance: Tolerance? = nil
  ) -> ConformanceCase {
    let notes = [
      wantsStatistics ? " with lse" : "", sizes.strength > 10 ? ", strong scores" : "",
    ].joined()
    return ConformanceCase(
      .attention, "\(sizes.label)\(notes), \(activation.name)", activation: activation,
      shapes: shapes, work: .operations(sizes.operations),
      triesInPlace: shapes == .small && sizes.queries == sizes.keys
    ) {
      let operands = sizes.operands(activation)
      let expected = sizes.reference(operands).forward()
      return .init(
        OperationCall(
          .attention, operands,
          [
            .init(sizes.queryShape, activation),
            wantsStatistics ? .init(sizes.statistics) : nil,
          ], integers: sizes.integers, floats: [sizes.scale]),
        [
          .all(expected.o, tolerance ?? Self.tolerance(activation)),
          .all(expected.lse, activation == .float16 ? .reduction : .elementwise.atLeast(1)),
        ])
    }
  }

  private static var backward: [ConformanceCase] {
    let every = [true, true, true]
    let masks = [[true, false, false], [false, true, true], [false, false, true]]
    return CaseTypes.activations.flatMap { activation -> [ConformanceCase] in
      var cases = AttentionSizes.small.map { backward($0, activation, every, .small) }
      for sizes in AttentionSizes.small.prefix(6) {
        cases += masks.map { backward(sizes, activation, $0, .small) }
      }
      return cases + AttentionSizes.sdxl.map { backward($0, activation, every, .sdxl) }
    }
  }

  private static func backward(
    _ sizes: AttentionSizes, _ activation: StorageType, _ wanted: [Bool], _ shapes: ShapeSet
  ) -> ConformanceCase {
    let names = zip(["dq", "dk", "dv"], wanted).filter(\.1).map(\.0).joined(separator: " ")
    let products = 1 + Double(wanted.count { $0 }) + (wanted[0] || wanted[1] ? 1 : 0)
    return ConformanceCase(
      .attentionBackward, "\(sizes.label) \(names), \(activation.name)", activation: activation,
      shapes: shapes, work: .operations(products / 2 * sizes.operations)
    ) {
      let operands = sizes.operands(activation)
      let forward = sizes.reference(operands)
      let (o, lse) = forward.forward()
      let dOutput = Operand.random(sizes.queryShape, seed: 4, storage: activation)
      let output = Operand(rounding: o, shape: sizes.queryShape, storage: activation)
      let statistics = Operand(rounding: lse, shape: sizes.statistics)
      let reference = AttentionReference.Backward(
        forward: forward, dOutput: dOutput.values, o: output.values, lse: statistics.values)
      let shapesOut = [sizes.queryShape, sizes.keyShape, sizes.keyShape]
      let call = OperationCall(
        .attentionBackward, [dOutput] + operands + [output, statistics],
        zip(shapesOut, wanted).map { $1 ? .init($0, activation) : nil },
        integers: sizes.integers, floats: [sizes.scale])
      let (queryRows, keyRows) = (
        sizes.batch * sizes.queries * sizes.heads, sizes.batch * sizes.keys * sizes.heads
      )
      let tolerance = Self.tolerance(activation).atLeast(1)
      let sample = shapes == .small ? Int.max : 24
      func rows(_ count: Int, _ row: (Int) -> [Double]) -> Expectation {
        .rows(of: count, width: sizes.width, tolerance, sample: sample, row: row)
      }
      return .init(
        call,
        [
          wanted[0] ? rows(queryRows, reference.query) : nil,
          wanted[1] ? rows(keyRows) { reference.key($0).dk } : nil,
          wanted[2] ? rows(keyRows) { reference.key($0).dv } : nil,
        ])
    }
  }
}
