import EspalierPipelines
import Testing

@Suite("Share of the steps with adapters") struct AdapterShareTests {
  private func calls(_ factor: Double, steps: Int, of calls: Int) -> Int {
    var configuration = GenerationConfiguration(prompts: ["x"])
    configuration.numInferenceSteps = steps
    configuration.adapterConditioningFactor = factor
    return configuration.callsWithAdapter(of: calls)
  }

  @Test(arguments: [(0.0, 0), (0.5, 4), (0.99, 8), (1.0, 9)])
  func `with a call a step, whole steps count, as in Diffusers`(factor: Double, expected: Int) {
    #expect(calls(factor, steps: 9, of: 9) == expected)
  }

  /// Heun and DPM2: the last step has one call.
  @Test(arguments: [(0.0, 0), (0.5, 8), (0.99, 16), (1.0, 17)])
  func `with two calls a step, a step has both with adapters or none`(
    factor: Double, expected: Int
  ) {
    #expect(calls(factor, steps: 9, of: 17) == expected)
  }

  @Test func `a first step that is taken twice counts once`() {
    #expect(calls(0.5, steps: 20, of: 21) == 10)
    #expect(calls(1, steps: 20, of: 21) == 21)
  }
}
