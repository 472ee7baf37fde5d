import EspalierABI
import Testing

@Suite struct LayoutTests {
  @Test(arguments: BackendUnderTest.all)
  func `concat and slice are inverse`(backend: BackendUnderTest) throws {
    let widths = [5, 1, 8, 3]
    let parts = widths.enumerated().map { index, width in
      Operand.random([3, 7, width], seed: UInt64(index))
    }
    let whole = try backend.run(
      OperationCase(code: ESP_OP_CONCAT, inputs: parts, outputs: [[3, 7, 17]]))
    let joined = Operand(try #require(whole[0]), shape: [3, 7, 17])
    var start = 0
    for (part, width) in zip(parts, widths) {
      let piece = try backend.run(
        OperationCase(
          code: ESP_OP_SLICE, inputs: [joined], outputs: [part.shape], integers: [Int64(start)]))
      #expect(piece[0] == part.values)
      start += width
    }
  }

  @Test(arguments: BackendUnderTest.all)
  func `a slice outside the axis is refused`(backend: BackendUnderTest) throws {
    let x = Operand.random([2, 5], seed: 1)
    for start in [Int64(4), -1, .max] {
      #expect(
        try !backend.supports(
          OperationCase(code: ESP_OP_SLICE, inputs: [x], outputs: [[2, 2]], integers: [start])))
    }
  }

  @Test(arguments: BackendUnderTest.all, [1, 2, 3])
  func `pixel_unshuffle orders channels first`(backend: BackendUnderTest, r: Int) throws {
    let shape = [2, 2 * r, 3 * r, 5]
    let x = Operand.random(shape, seed: 1)
    let target = [2, 2, 3, 5 * r * r]
    let expected = indices(of: target).map { index in
      let (channel, dy, dx) = (index[3] / (r * r), index[3] / r % r, index[3] % r)
      return x.values[offset([index[0], index[1] * r + dy, index[2] * r + dx, channel], in: shape)]
    }
    let y = try backend.run(
      OperationCase(
        code: ESP_OP_PIXEL_UNSHUFFLE, inputs: [x], outputs: [target], integers: [Int64(r)]))
    #expect(y[0] == expected)
  }

  @Test(arguments: BackendUnderTest.all)
  func `cast rounds to nearest even`(backend: BackendUnderTest) throws {
    var values: [Double] = []
    for exponent in stride(from: -26.0, through: 17, by: 0.37) {
      values += [Float(exp2Value(exponent)), -Float(exp2Value(exponent)) * 1.37].map(Double.init)
    }
    // Ties in f16 and bf16, infinity, and what overflows f16.
    values += [1 + 1 / 2048.0, 1 + 3 / 2048.0, 1 + 1 / 256.0, 1 + 3 / 256.0, .infinity, 65_520]
    let wide = Operand(values, shape: [values.count])
    for storage in [Operand.Storage.float16, .bfloat16] {
      let narrow = try backend.run(
        OperationCase(
          code: ESP_OP_CAST, inputs: [wide], outputs: [wide.shape], outputStorage: storage))
      let expected = Operand(values, shape: wide.shape, storage: storage)
      #expect(narrow[0] == expected.values)
      let back = try backend.run(
        OperationCase(code: ESP_OP_CAST, inputs: [expected], outputs: [wide.shape]))
      #expect(back[0] == expected.values)
    }
  }

  @Test(arguments: BackendUnderTest.all, [Operand.Storage.float32, .float16, .bfloat16])
  func `embedding picks rows of the table`(
    backend: BackendUnderTest, storage: Operand.Storage
  ) throws {
    let table = Operand.random([11, 7], seed: 1, storage: storage, isWeight: true)
    let ids = Operand([0, 10, 3, 3, 7, 1].map(Double.init), shape: [2, 3], storage: .int32)
    let y = try backend.run(
      OperationCase(code: ESP_OP_EMBEDDING, inputs: [ids, table], outputs: [[2, 3, 7]]))
    #expect(y[0] == ids.values.flatMap { table.values[Int($0) * 7..<Int($0) * 7 + 7] })
  }

  @Test(arguments: BackendUnderTest.all)
  func `gather_rows picks one row per sample`(backend: BackendUnderTest) throws {
    let x = Operand.random([3, 4, 5], seed: 1)
    let index = Operand([3, 0, 2], shape: [3], storage: .int32)
    let y = try backend.run(
      OperationCase(code: ESP_OP_GATHER_ROWS, inputs: [x, index], outputs: [[3, 5]]))
    let expected = (0..<3).flatMap { sample in
      let start = (sample * 4 + Int(index.values[sample])) * 5
      return x.values[start..<start + 5]
    }
    #expect(y[0] == expected)
  }
}

/// 2^x by repeated doubling of a mantissa, exact for integers.
private func exp2Value(_ x: Double) -> Double {
  let whole = x.rounded(.down)
  return Double(sign: .plus, exponent: Int(whole), significand: 1 + (x - whole))
}
