import EspalierCheckpoints
import EspalierModels
import EspalierTensors
import Foundation
import TestSupport
import Testing

@Suite("What the host computes for the models") struct HostMathTests {
  @Test func `sinusoids follow their formula and their order`() {
    let (dim, t) = (10, 37.5)
    for cosinesFirst in [false, true] {
      for shift in [0.0, 1.0] {
        let row = SinusoidalEmbedding.timesteps(
          [0, t], dim: dim, flipSinToCos: cosinesFirst, freqShift: shift
        ).floats()[dim...]
        let expected = (0..<dim).map { k in
          let frequency = pow(10_000, -Double(k % 5) / (5 - shift))
          return Float((k < 5) == cosinesFirst ? cos(t * frequency) : sin(t * frequency))
        }
        expectClose(Array(row), expected, absolute: 1e-5)
      }
    }
  }

  @Test func `an odd number of features ends with a zero`() {
    let tensor = SinusoidalEmbedding.timesteps([981], dim: 5, flipSinToCos: true, freqShift: 0)
    #expect(tensor.shape == [1, 5])
    #expect(tensor.floats()[4] == 0 && tensor.floats()[3] != 0)
  }

  @Test func `guidance scales are multiplied by a thousand before they are embedded`() {
    let (dim, w) = (6, 6.5)
    let row = SinusoidalEmbedding.guidanceScales([w], dim: dim).floats()
    let expected = (0..<dim).map { k in
      let frequency = pow(10_000, -Double(k % 3) / 2)
      return Float(k < 3 ? sin(1000 * w * frequency) : cos(1000 * w * frequency))
    }
    expectClose(row, expected, absolute: 1e-3)
  }

  @Test func `moments split into mean and clamped logarithm of the variance`() {
    let moments = HostTensor(
      [1, 2, 0, -100, 3, 4, 100, .nan] as [Float], shape: [1, 1, 2, 4])
    let distribution = DiagonalGaussianDistribution(moments: moments)
    #expect(distribution.mean.floats() == [1, 2, 3, 4])
    #expect(distribution.logvar.floats()[..<3] == [0, -30, 20])
    #expect(distribution.logvar.floats()[3].isNaN)
    #expect(distribution.std.floats()[0] == 1)
  }

  @Test func `latents are scaled by mean, deviation and factor, and back`() throws {
    let numbers = { (values: [Double]) in JSONValue.array(values.map { .number($0) }) }
    let json = JSONObject(
      [
        JSONMember(key: "latent_channels", value: .number(2)),
        JSONMember(key: "scaling_factor", value: .number(0.5)),
        JSONMember(key: "latents_mean", value: numbers([1, -2])),
        JSONMember(key: "latents_std", value: numbers([4, 8])),
      ], path: "config.json")
    let configuration = try AutoencoderKLConfiguration(json)
    let latents = HostTensor([5, 6, 1, -2] as [Float], shape: [1, 1, 2, 2])
    let scaled = configuration.scaled(latents)
    #expect(scaled.floats() == [0.5, 0.5, 0, 0])
    #expect(configuration.unscaled(scaled).floats() == latents.floats())
  }
}
