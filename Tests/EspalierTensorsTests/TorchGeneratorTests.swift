import EspalierCheckpoints
import EspalierTensors
import TestSupport
import Testing

/// Streams of `torch.Generator` on a CPU; the names of the tensors are `KIND.SEED` or `KIND.SEED.COUNT`.
@Suite struct TorchGeneratorTests {
  /// The tensors of a kind with the numbers of their names.
  private func goldens(_ kind: String) throws -> [(numbers: [Int], tensor: HostTensor)] {
    let file = try Fixtures.tensors("torch_rng.safetensors")
    let found = try file.names.compactMap { name -> (numbers: [Int], tensor: HostTensor)? in
      let parts = name.split(separator: ".")
      guard parts[0] == kind else { return nil }
      return (parts.dropFirst().compactMap { Int($0) }, try file.tensor(name))
    }
    try #require(!found.isEmpty)
    return found
  }

  @Test func `normals of every length match`() throws {
    for (numbers, tensor) in try goldens("randn") {
      var generator = TorchGenerator(seed: numbers[0])
      expectClose(
        generator.randn(numbers[1]), tensor.floats(), absolute: 1e-6, "\(numbers)")
    }
  }

  @Test func `calls of several kinds continue one stream`() throws {
    for (numbers, tensor) in try goldens("randn2") {
      var generator = TorchGenerator(seed: numbers[0])
      var values = generator.randn(5) + generator.randn(20) + generator.rand(3)
      values += generator.randn(Shape([1, 4, 16, 16])).floats()
      expectClose(values, tensor.floats(), absolute: 1e-6, "\(numbers)")
    }
  }

  @Test func `uniforms match exactly`() throws {
    for (numbers, tensor) in try goldens("rand") {
      var generator = TorchGenerator(seed: numbers[0])
      #expect(generator.rand(tensor.count) == tensor.floats())
    }
  }

  @Test func `integers and permutations match exactly`() throws {
    for (numbers, tensor) in try goldens("randint") {
      var generator = TorchGenerator(seed: numbers[0])
      #expect(generator.randint(1000, tensor.count) == tensor.integers())
    }
    for (numbers, tensor) in try goldens("randperm") {
      var generator = TorchGenerator(seed: numbers[0])
      #expect(generator.randperm(tensor.count) == tensor.integers())
    }
  }

  /// From `torch.randint(high, (3,))` of PyTorch 2.13 with seed 42.
  @Test func `a large range draws 64 bits`() {
    var generator = TorchGenerator(seed: 42)
    #expect(generator.randint(134_217_733, 3) == [132_242_479, 65_682_742, 56_754_886])
    generator = TorchGenerator(seed: 42)
    #expect(generator.randint(268_435_461, 3) == [89_482_994, 5_545_988, 140_346_680])
    generator = TorchGenerator(seed: 42)
    #expect(generator.randint(2_147_483_653, 3) == [219_652_565, 757_167_061, 1_974_618_217])
  }

  /// Half precision may round the other way where the value lies between two halves.
  @Test func `half precision normals match`() throws {
    for (numbers, tensor) in try goldens("randn_f16") {
      var generator = TorchGenerator(seed: numbers[0])
      let values = generator.randnHalf(tensor.count).map { Float($0) }
      expectClose(values, tensor.floats(), relativeL2: 1e-4, "\(numbers)")
    }
  }

  /// From `torch.randn(20, dtype=torch.float16)` of PyTorch 2.13 with seed 3.
  @Test func `half precision normals draw fewer numbers for an incomplete block`() {
    var generator = TorchGenerator(seed: 3)
    let values = generator.randnHalf(20).map { Float($0) }
    let expected: [Float] = [
      -0.0767, 0.3599, -0.7822, 0.0715, 0.2615, 0.9312, -0.5146, -1.6514, 1.0459, 0.5220, -0.1669,
      0.0530, 0.5640, 2.2559, 1.8691, -1.1953, 0.9980, 0.4592, 2.4355, -0.1469,
    ]
    expectClose(values, expected, absolute: 1e-3)
    expectClose(generator.rand(2), [0.1394, 0.0516], absolute: 1e-4)
  }
}
