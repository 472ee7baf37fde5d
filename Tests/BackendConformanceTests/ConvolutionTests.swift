import EspalierABI
import Testing

/// A convolution of x[B,H,W,C] with w[O,C,kh,kw].
struct ConvolutionCase: CustomTestStringConvertible {
  let map: [Int]  // B, H, W, C
  let filters: [Int]  // O, kh, kw
  var stride = 1
  var padding = [0, 0, 0, 0]  // top, left, bottom, right

  var testDescription: String { "\(map) by \(filters), stride \(stride), padding \(padding)" }

  static let all = [
    ConvolutionCase(map: [2, 5, 7, 3], filters: [4, 1, 1]),
    ConvolutionCase(map: [2, 5, 7, 3], filters: [5, 3, 3], padding: [1, 1, 1, 1]),
    ConvolutionCase(map: [1, 9, 6, 4], filters: [3, 3, 3], stride: 2, padding: [1, 1, 1, 1]),
    ConvolutionCase(map: [1, 8, 6, 5], filters: [6, 3, 3], stride: 2, padding: [0, 0, 1, 1]),
    ConvolutionCase(map: [1, 6, 5, 2], filters: [3, 2, 5], padding: [1, 0, 0, 2]),
    ConvolutionCase(map: [2, 4, 4, 6], filters: [7, 1, 1], stride: 2),
    ConvolutionCase(map: [1, 1, 1, 9], filters: [2, 3, 3], padding: [1, 1, 1, 1]),
    ConvolutionCase(map: [2, 13, 11, 32], filters: [32, 3, 3], padding: [1, 1, 1, 1]),
    ConvolutionCase(map: [1, 18, 17, 64], filters: [48, 3, 3], padding: [1, 1, 1, 1]),
  ]

  var channels: Int { map[3] }
  var outputShape: [Int] {
    [
      map[0], (map[1] + padding[0] + padding[2] - filters[1]) / stride + 1,
      (map[2] + padding[1] + padding[3] - filters[2]) / stride + 1, filters[0],
    ]
  }
  var weightShape: [Int] { [filters[0], channels, filters[1], filters[2]] }

  func integers(_ act: Int32) -> [Int64] { [Int64(act), Int64(stride)] + padding.map(Int64.init) }

  /// Calls `body` with the offsets in y, x and w of every product of the sum.
  func forEachProduct(_ body: (Int, Int, Int) -> Void) {
    let output = outputShape
    for b in 0..<output[0] {
      for row in 0..<output[1] {
        for column in 0..<output[2] {
          for ky in 0..<filters[1] {
            for kx in 0..<filters[2] {
              let y = row * stride + ky - padding[0]
              let x = column * stride + kx - padding[1]
              guard y >= 0, y < map[1], x >= 0, x < map[2] else { continue }
              let source = ((b * map[1] + y) * map[2] + x) * channels
              let target = ((b * output[1] + row) * output[2] + column) * filters[0]
              for o in 0..<filters[0] {
                for c in 0..<channels {
                  let weight = ((o * channels + c) * filters[1] + ky) * filters[2] + kx
                  body(target + o, source + c, weight)
                }
              }
            }
          }
        }
      }
    }
  }
}

@Suite struct ConvolutionTests {
  @Test(arguments: BackendUnderTest.all, ConvolutionCase.all)
  func `matches double precision with every epilogue`(
    backend: BackendUnderTest, convolution: ConvolutionCase
  ) throws {
    let shape = convolution.outputShape
    let (batch, filters) = (shape[0], shape[3])
    let x = Operand.random(convolution.map, seed: 1)
    let channel = Operand.random([batch, filters], seed: 4)
    let residual = Operand.random(shape, seed: 5)
    let perSample = shape[1] * shape[2] * filters
    for storage in [Operand.Storage.float32, .float16, .bfloat16] {
      let w = Operand.random(
        convolution.weightShape, seed: 2, storage: storage, isWeight: true)
      let bias = Operand.random([filters], seed: 3, storage: storage, isWeight: true)
      var plain = [Double](repeating: 0, count: residual.count)
      convolution.forEachProduct { plain[$0] += x.values[$1] * w.values[$2] }
      let bare = try backend.run(
        OperationCase(
          code: ESP_OP_CONV2D, inputs: [x, w, nil, nil, nil], outputs: [shape],
          integers: convolution.integers(ESP_ACT_NONE)))
      expectClose(bare[0], plain, within: Tolerance.winograd, "\(storage), bare")
      for act in [ESP_ACT_NONE, ESP_ACT_SILU, ESP_ACT_RELU] {
        let full = try backend.run(
          OperationCase(
            code: ESP_OP_CONV2D, inputs: [x, w, bias, channel, residual], outputs: [shape],
            integers: convolution.integers(act)))
        let expected = plain.indices.map { index in
          let sum =
            plain[index] + bias.values[index % filters]
            + channel.values[index / perSample * filters + index % filters]
          return activation(act, sum) + residual.values[index]
        }
        expectClose(full[0], expected, within: Tolerance.winograd, "\(storage), activation \(act)")
      }
    }
  }

  @Test(arguments: BackendUnderTest.all, ConvolutionCase.all)
  func `both gradients match double precision`(
    backend: BackendUnderTest, convolution: ConvolutionCase
  ) throws {
    let x = Operand.random(convolution.map, seed: 1)
    let dy = Operand.random(convolution.outputShape, seed: 6)
    let residual = Operand.random(convolution.map, seed: 7)
    for storage in [Operand.Storage.float32, .float16] {
      let w = Operand.random(
        convolution.weightShape, seed: 2, storage: storage, isWeight: true)
      var expected = [Double](repeating: 0, count: x.count)
      convolution.forEachProduct { expected[$1] += dy.values[$0] * w.values[$2] }
      let bare = try backend.run(
        OperationCase(
          code: ESP_OP_CONV2D_DX, inputs: [dy, w, nil], outputs: [convolution.map],
          integers: convolution.integers(0)))
      expectClose(bare[0], expected, within: Tolerance.winograd, "dx")
      let full = try backend.run(
        OperationCase(
          code: ESP_OP_CONV2D_DX, inputs: [dy, w, residual], outputs: [convolution.map],
          integers: convolution.integers(0)))
      expectClose(
        full[0], zip(expected, residual.values).map(+), within: Tolerance.winograd,
        "dx + residual")
    }
    var expected = [Double](repeating: 0, count: convolution.weightShape.reduce(1, *))
    convolution.forEachProduct { expected[$2] += dy.values[$0] * x.values[$1] }
    let dw = try backend.run(
      OperationCase(
        code: ESP_OP_CONV2D_DW, inputs: [dy, x], outputs: [convolution.weightShape],
        integers: convolution.integers(0)))
    expectClose(dw[0], expected, within: Tolerance.winograd, "dw")
  }
}
