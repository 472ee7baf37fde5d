import EspalierTensors
import EspalierTraining
import Testing

@Suite("TimestepSampler") struct TimestepSamplerTests {
  @Test func `the ends and the middle are those of the formula`() {
    #expect(TimestepSampler.cubic(0, count: 1000) == 999)
    #expect(TimestepSampler.cubic(0.5, count: 1000) == 875)
    #expect(TimestepSampler.cubic(Float(1).nextDown, count: 1000) == 0)
    #expect(TimestepSampler.cubic(0, count: 1) == 0)
  }

  @Test func `timesteps fall as the draw rises and stay in range`() {
    var last = 999
    for index in 0..<10_000 {
      let timestep = TimestepSampler.cubic(Float(index) / 10_000, count: 1000)
      #expect(timestep <= last && timestep >= 0)
      last = timestep
    }
  }

  /// P(t ≥ T) = P(u³ ≤ 1 − T/1000) = (1 − T/1000)^(1/3).
  @Test(arguments: [(999, 0.1), (900, 0.4642), (500, 0.7937), (100, 0.9655)])
  func `high noise is drawn as often as the cube root says`(bound: Int, share: Double) {
    let count = 100_000
    let draws = CounterRandom(seed: 5, purpose: .timestep, sample: 0).uniforms(count)
    let above = draws.filter { TimestepSampler.cubic($0, count: 1000) >= bound }.count
    #expect(abs(Double(above) / Double(count) - share) < 0.006)
  }
}
