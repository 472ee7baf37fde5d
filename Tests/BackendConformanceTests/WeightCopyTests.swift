import EspalierConformance
import Testing

extension EveryBackend {
  /// Copies of weights that the backend `blas` keeps packed or transformed. `run` holds its results with a copy against
  /// those without, bit for bit, and looks beside the copy.
  @Suite struct WeightCopyTests {
    private static let blas = BackendUnderTest.all.filter { $0.backend.name == "blas" }

    private static func linear(
      _ rows: Int, _ inputs: Int, _ outputs: Int, _ storage: StorageType,
      role: Operand.Role = .weight, act: Int64 = 1
    ) -> OperationCall {
      OperationCall(
        .linear,
        [
          .random([rows, inputs], seed: 1),
          .random([outputs, inputs], seed: 2, storage: storage, role: role),
          .random([outputs], seed: 3, storage: storage, role: role),
          .random([rows, outputs], seed: 4),
        ], [.init([rows, outputs])], integers: [act])
    }

    private static func linearDX(
      _ rows: Int, _ inputs: Int, _ outputs: Int, _ storage: StorageType
    ) -> OperationCall {
      OperationCall(
        .linearDX,
        [
          .random([rows, outputs], seed: 1),
          .random([outputs, inputs], seed: 2, storage: storage, role: .weight), nil,
        ], [.init([rows, inputs])])
    }

    /// A convolution that keeps the size of its map.
    private static func convolution(
      _ side: Int, _ channels: Int, _ outputs: Int, kernel: Int = 3, _ storage: StorageType,
      dx: Bool = false, batch: Int = 1
    ) -> OperationCall {
      let pad = Int64(kernel / 2)
      let (x, y) = ([batch, side, side, channels], [batch, side, side, outputs])
      let weight = Operand.random(
        [outputs, channels, kernel, kernel], seed: 2, scale: 0.1, storage: storage, role: .weight)
      return OperationCall(
        dx ? .conv2DDX : .conv2D,
        [.random(dx ? y : x, seed: 1), weight] + (dx ? [nil] : [nil, nil, nil]),
        [.init(dx ? x : y)], integers: [0, 1, pad, pad, pad, pad])
    }

    /// Each with its name; every way in which a copy is used, with sizes that no panel divides.
    private static var offered: [(name: String, call: OperationCall)] {
      [StorageType.float16, .bfloat16].flatMap { type in
        [
          ("linear", linear(77, 320, 321, type)), ("linear, deep", linear(33, 801, 65, type)),
          ("linear, deep, without activation", linear(33, 801, 65, type, act: 0)),
          ("linear, narrow", linear(9, 5, 3, type)),
          ("linear, several rounds", linear(900, 2400, 40, type, act: 0)),
          ("linear_dx", linearDX(77, 321, 320, type)),
          ("linear_dx, deep", linearDX(33, 65, 801, type)),
          ("linear_dx, narrow", linearDX(9, 7, 33, type)),
          ("1×1", convolution(9, 40, 56, kernel: 1, type)),
          ("1×1 dx", convolution(9, 41, 33, kernel: 1, type, dx: true)),
        ]
      }
        + [StorageType.float32, .float16, .bfloat16].flatMap { type in
          [
            ("3×3", convolution(33, 40, 49, type)),
            ("3×3 dx", convolution(33, 40, 49, type, dx: true)),
            ("3×3 dx, few tiles", convolution(9, 33, 40, type, dx: true)),
            ("3×3 dx, in parts", convolution(14, 40, 150, type, dx: true)),
          ]
        } + [("linear, small f32", linear(130, 65, 96, .float32))]
    }

    @Test(arguments: blas)
    func `results with a kept copy are those without, bit for bit`(subject: BackendUnderTest) throws
    {
      for (name, call) in Self.offered {
        let words = Comment(rawValue: "\(name) \(call.inputs[1]?.storage.name ?? "")")
        #expect(try subject.backend.copyByteCount(call) > 0, words)
        let outcome = try #require(try subject.backend.run(call))
        #expect(outcome.faults.isEmpty, words)
        #expect(outcome.outputs[0]?.contains { $0 != 0 } == true, words)
      }
    }

    @Test(arguments: blas)
    func `nothing is offered where nothing would be spared`(subject: BackendUnderTest) throws {
      let none = [
        ("few rows read weights where they lie", Self.linear(8, 320, 320, .float16)),
        ("OpenBLAS packs for itself", Self.linear(130, 1100, 1024, .float32)),
        ("a trained weight changes", Self.linear(130, 64, 96, .float32, role: .state)),
        ("gathered patches", Self.convolution(33, 4, 64, .float16)),
        ("kernels are transformed as fast as read", Self.convolution(9, 33, 40, .float16)),
      ]
      for (reason, call) in none {
        #expect(try subject.backend.copyByteCount(call) == 0, Comment(rawValue: reason))
      }
    }
  }
}
