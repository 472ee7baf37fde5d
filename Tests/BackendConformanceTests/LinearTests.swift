import EspalierABI
import Testing

/// x[M,K] by w[N,K].
struct LinearCase: CustomTestStringConvertible {
  let rows: Int
  let inputs: Int
  let outputs: Int

  var testDescription: String { "\(rows)×\(inputs) to \(outputs)" }

  static let all = [
    LinearCase(rows: 1, inputs: 1, outputs: 1),
    LinearCase(rows: 7, inputs: 5, outputs: 3),
    LinearCase(rows: 77, inputs: 33, outputs: 65),
    LinearCase(rows: 3, inputs: 129, outputs: 40),
    LinearCase(rows: 260, inputs: 64, outputs: 96),
  ]

  /// a[m,k]·b[k,n] by strides.
  static func product(
    _ m: Int, _ n: Int, _ k: Int, _ a: (Int, Int) -> Double, _ b: (Int, Int) -> Double
  ) -> [Double] {
    var result = [Double](repeating: 0, count: m * n)
    for i in 0..<m {
      for j in 0..<n {
        var sum = 0.0
        for l in 0..<k { sum += a(i, l) * b(l, j) }
        result[i * n + j] = sum
      }
    }
    return result
  }
}

@Suite struct LinearTests {
  @Test(
    arguments: BackendUnderTest.all, LinearCase.all)
  func `matches double precision with every epilogue`(
    backend: BackendUnderTest, linear: LinearCase
  ) throws {
    let (m, k, n) = (linear.rows, linear.inputs, linear.outputs)
    let x = Operand.random([1, m, k], seed: 1)
    let residual = Operand.random([1, m, n], seed: 4)
    for storage in [Operand.Storage.float32, .float16, .bfloat16] {
      let w = Operand.random([n, k], seed: 2, storage: storage, isWeight: true)
      let bias = Operand.random([n], seed: 3, storage: storage, isWeight: true)
      let plain = LinearCase.product(
        m, n, k, { x.values[$0 * k + $1] }, { w.values[$1 * k + $0] })
      for act in activations {
        let full = try backend.run(
          OperationCase(
            code: ESP_OP_LINEAR, inputs: [x, w, bias, residual], outputs: [[1, m, n]],
            integers: [Int64(act)]))
        let expected = plain.indices.map {
          activation(act, plain[$0] + bias.values[$0 % n]) + residual.values[$0]
        }
        expectClose(full[0], expected, within: Tolerance.reduction, "activation \(act)")
      }
      let bare = try backend.run(
        OperationCase(
          code: ESP_OP_LINEAR, inputs: [x, w, nil, nil], outputs: [[1, m, n]], integers: [0]))
      expectClose(bare[0], plain, within: Tolerance.reduction, "\(storage), no bias")
      // A weight that is trained is no constant.
      let state = Operand(w.values, shape: [n, k])
      let trained = try backend.run(
        OperationCase(
          code: ESP_OP_LINEAR, inputs: [x, state, nil, nil], outputs: [[1, m, n]], integers: [0]))
      expectClose(trained[0], plain, within: Tolerance.reduction, "trained")
    }
  }

  @Test(arguments: BackendUnderTest.all, LinearCase.all)
  func `both gradients match double precision`(
    backend: BackendUnderTest, linear: LinearCase
  ) throws {
    let (m, k, n) = (linear.rows, linear.inputs, linear.outputs)
    let x = Operand.random([m, k], seed: 1)
    let dy = Operand.random([m, n], seed: 5)
    let residual = Operand.random([m, k], seed: 6)
    for storage in [Operand.Storage.float32, .float16, .bfloat16] {
      let w = Operand.random([n, k], seed: 2, storage: storage, isWeight: true)
      let expected = LinearCase.product(
        m, k, n, { dy.values[$0 * n + $1] }, { w.values[$0 * k + $1] })
      let bare = try backend.run(
        OperationCase(code: ESP_OP_LINEAR_DX, inputs: [dy, w, nil], outputs: [[m, k]]))
      expectClose(bare[0], expected, within: Tolerance.reduction, "dx")
      let full = try backend.run(
        OperationCase(code: ESP_OP_LINEAR_DX, inputs: [dy, w, residual], outputs: [[m, k]]))
      expectClose(
        full[0], zip(expected, residual.values).map(+), within: Tolerance.reduction,
        "dx + residual")
    }
    let dw = try backend.run(
      OperationCase(code: ESP_OP_LINEAR_DW, inputs: [dy, x], outputs: [[n, k]]))
    expectClose(
      dw[0],
      LinearCase.product(n, k, m, { dy.values[$1 * n + $0] }, { x.values[$0 * k + $1] }),
      within: Tolerance.reduction, "dw")
  }
}
