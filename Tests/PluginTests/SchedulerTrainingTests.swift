import TestSupport
import Testing

/// Noise and targets for training, against SDXL's noise schedule in closed form.
@Suite struct SchedulerTrainingTests {
  private let sdxl = """
    "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"
    """

  /// ᾱ_t of SDXL in double.
  private func alphaBar(_ timestep: Int) -> Double {
    let (low, high) = (0.00085.squareRoot(), 0.012.squareRoot())
    return (0...timestep).reduce(1.0) { product, index in
      let root = low + (high - low) * Double(index) / 999
      return product * (1 - root * root)
    }
  }

  private let original: [Float] = [0.5, -1, 2, 0.25, 3, -0.5]
  private let noise: [Float] = [1, 0.5, -0.25, 2, -1, 0.125]

  @Test func `Euler adds noise by sigma`() throws {
    let scheduler = try SchedulerUnderTest("euler", config: "{\(sdxl)}")
    let noisy = try scheduler.addNoise([0, 999], original, noise)
    let expected = (0..<6).map { index in
      let alpha = alphaBar(index < 3 ? 0 : 999)
      return original[index] + noise[index] * Float(((1 - alpha) / alpha).squareRoot())
    }
    expectClose(noisy, expected, relativeL2: 1e-6)
  }

  @Test func `DDPM adds noise by the square roots of alpha`() throws {
    let scheduler = try SchedulerUnderTest("ddpm", config: "{\(sdxl)}")
    let noisy = try scheduler.addNoise([17, 500], original, noise)
    let expected = (0..<6).map { index in
      let alpha = alphaBar(index < 3 ? 17 : 500)
      return Float(alpha.squareRoot()) * original[index]
        + Float((1 - alpha).squareRoot()) * noise[index]
    }
    expectClose(noisy, expected, relativeL2: 1e-6)
  }

  @Test(arguments: ["euler", "euler_ancestral", "ddpm"])
  func `the target is the noise or the velocity`(_ name: String) throws {
    let epsilon = try SchedulerUnderTest(name, config: "{\(sdxl)}")
    #expect(try epsilon.trainingTarget([300, 700], original, noise) == noise)
    let config = #"{"prediction_type": "v_prediction", \#(sdxl)}"#
    let velocity = try SchedulerUnderTest(name, config: config)
    let expected = (0..<6).map { index in
      let alpha = alphaBar(index < 3 ? 300 : 700)
      return Float(alpha.squareRoot()) * noise[index]
        - Float((1 - alpha).squareRoot()) * original[index]
    }
    let target = try velocity.trainingTarget([300, 700], original, noise)
    expectClose(target, expected, relativeL2: 1e-5)
  }

  @Test(arguments: ["euler", "ddpm"])
  func `a timestep outside the training range is refused`(_ name: String) throws {
    let scheduler = try SchedulerUnderTest(name)
    for timestep in [-1, 1000, Double.nan, .infinity] {
      #expect(refusal { _ = try scheduler.addNoise([timestep], [1], [1]) } != nil)
    }
  }

  @Test func `noise at a timestep of the schedule uses the schedule's own level`() throws {
    let scheduler = try SchedulerUnderTest(
      "euler", config: #"{"use_karras_sigmas": true, \#(sdxl)}"#)
    try scheduler.setTimesteps(6)
    let sigmas = try scheduler.sigmas()
    for call in 0..<6 {
      #expect(try scheduler.addNoise([scheduler.timestep(call)], [0], [1]) == [sigmas[call]])
    }
  }
}
