import EspalierGraph
import EspalierTensors
import EspalierTraining
import TestSupport
import Testing

/// The recorded run with the frozen weights in half precision, and the loss scaling that goes with f16.
@Suite("Half precision", .serialized, .onEveryBackend) struct HalfPrecisionTests {
  /// Rounding of one weight: 2⁻¹¹ in f16, 2⁻⁸ in bf16; errors of many weights partly cancel.
  @Test(arguments: [(DType.float16, 2e-3), (.bfloat16, 2e-2)])
  func `losses and gradients stay near those of f32`(storage: DType, tolerance: Double) throws {
    let (exact, half) = (try ReferenceRun(), try ReferenceRun(storage: storage))
    for micro in 0..<3 {
      let batch = try exact.batch(micro)
      let expected = try exact.step.run(batch, seed: 1, isFirst: true)
      let found = try half.step.run(batch, seed: 1, isFirst: true)
      expectClose(found.perSample, expected.perSample, relativeL2: tolerance)
      #expect(found.perSample != expected.perSample, "the weights were not rounded")
      let (gradients, goldens) = (
        try half.parameters.read(.gradient), try exact.parameters.read(.gradient)
      )
      for (path, golden) in goldens {
        let gradient = try #require(gradients[path])
        expectClose(gradient.floats(), golden.floats(), relativeL2: 10 * tolerance, path)
      }
    }
  }

  @Test func `a scaled loss gives the same update as an unscaled one`() throws {
    var results: [[String: HostTensor]] = []
    for scale in [1.0, 65_536] {
      let run = try ReferenceRun(storage: .float16)
      _ = try run.step.run(try run.batch(0), seed: scale, isFirst: true)
      let norm = try run.optimizer.gradientNorm() / scale
      let clip = AdamWOptimizer.clipFactor(norm: norm, maximum: 1)
      try run.optimizer.step(1, learningRate: 1e-3, gradientMultiplier: clip / scale)
      results.append(try run.parameters.read(.parameter))
    }
    for (path, value) in results[0] {
      let scaled = try #require(results[1][path])
      expectClose(scaled.floats(), value.floats(), relativeL2: 1e-6, path)
    }
  }

  @Test func `an overflow skips the step, halves the scale and leaves the weights`() throws {
    let run = try ReferenceRun(storage: .float16)
    var scaler = LossScaler(isDynamic: true)
    let before = try values(run)
    let result = try run.step.run(
      try run.batch(0), seed: Double(Float.greatestFiniteMagnitude), isFirst: true)
    #expect(result.loss.isFinite, "the loss itself is not scaled")
    let overflowed = try run.optimizer.gradientNorm()
    #expect(!overflowed.isFinite)
    let isSkipped = scaler.skipsStep(gradientsAreFinite: overflowed.isFinite)
    #expect(isSkipped)
    #expect(scaler.scale == 32_768)
    // The next micro-batch replaces the gradients that overflowed.
    _ = try run.step.run(try run.batch(1), seed: scaler.scale, isFirst: true)
    let norm = try run.optimizer.gradientNorm()
    let isNextSkipped = scaler.skipsStep(gradientsAreFinite: norm.isFinite)
    #expect(!isNextSkipped)
    #expect(try values(run) == before)
    try run.optimizer.step(1, learningRate: 1e-3, gradientMultiplier: 1 / scaler.scale)
    let after = try values(run)
    #expect(after != before)
    #expect(after.values.allSatisfy { $0.allSatisfy(\.isFinite) })
  }

  private func values(_ run: ReferenceRun) throws -> [String: [Float]] {
    try run.parameters.read(.parameter).mapValues { $0.floats() }
  }
}
