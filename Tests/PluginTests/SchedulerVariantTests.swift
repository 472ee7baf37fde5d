import TestSupport
import Testing

/// Settings that the golden files leave out; the numbers are those of Diffusers 0.42.1.
@Suite struct SchedulerVariantTests {
  struct Variant: CustomTestStringConvertible {
    let config: String
    var steps = 5
    let timesteps: [Float]
    let sigmas: [Float]
    let initNoiseSigma: Double

    var testDescription: String { config }
  }

  private static let sdxl = #""beta_start": 0.00085, "beta_end": 0.012"#
  private static let scaled = sdxl + #", "beta_schedule": "scaled_linear""#

  static let variants: [Variant] = [
    Variant(
      config:
        #"{\#(scaled), "use_beta_sigmas": true, "timestep_spacing": "leading", "steps_offset": 1}"#,
      timesteps: [801, 757.860595703125, 634.1695556640625, 334.17913818359375, 1],
      sigmas: [5.13443327, 4.23967218, 2.58787394, 0.936075509, 0.041314479, 0],
      initNoiseSigma: 5.23090887),
    Variant(
      config: #"{\#(scaled), "use_exponential_sigmas": true, "sigma_min": 0.05, "sigma_max": 10}"#,
      timesteps: [
        933.5066528320312, 641.4632568359375, 254.33619689941406, 36.04740905761719,
        1.9338457584381104,
      ],
      sigmas: [10, 2.65914798, 0.707106769, 0.188030154, 0.0500000007, 0], initNoiseSigma: 10),
    Variant(
      config: """
        {\(scaled), "use_karras_sigmas": true, "sigma_min": 0.05, "final_sigmas_type": "sigma_min"}
        """,
      timesteps: [
        999, 800.8187255859375, 476.6147155761719, 96.34013366699219, 1.9338457584381104,
      ],
      sigmas: [14.6146469, 5.1301837, 1.49733126, 0.335657954, 0.0500000007, 0.0291675348],
      initNoiseSigma: 14.6146469),
    Variant(
      config: #"{\#(scaled), "interpolation_type": "log_linear"}"#,
      timesteps: [999, 749.25, 499.5, 249.75, 0],
      sigmas: [14.6146469, 4.21512651, 1.21571803, 0.350634933, 0.10112942, 0.0291675366, 0],
      initNoiseSigma: 14.6146469),
    Variant(
      config: """
        {\(scaled), "timestep_type": "continuous", "prediction_type": "v_prediction",
         "use_karras_sigmas": true}
        """,
      timesteps: [
        0.6705060601234436, 0.39197391271591187, 0.060561053454875946, -0.34863030910491943,
        -0.8836747407913208,
      ],
      sigmas: [14.6146469, 4.79654408, 1.27410531, 0.247951716, 0.0291675348, 0],
      initNoiseSigma: 14.6146469),
    Variant(
      config: #"{\#(sdxl), "beta_schedule": "squaredcos_cap_v2"}"#,
      timesteps: [999, 749.25, 499.5, 249.75, 0],
      sigmas: [20291.3027, 2.43814659, 1.01397038, 0.426376224, 0.00642710878, 0],
      initNoiseSigma: 20291.3027),
    Variant(
      config: #"{\#(sdxl), "timestep_spacing": "trailing"}"#,
      timesteps: [999, 799, 599, 399, 199],
      sigmas: [25.1461163, 8.35992908, 3.38444567, 1.55921078, 0.693345308, 0],
      initNoiseSigma: 25.1461163),
    Variant(
      config: #"{"num_train_timesteps": 4, "trained_betas": [0.1, 0.2, 0.3, 0.4]}"#, steps: 4,
      timesteps: [3, 2, 1, 0],
      sigmas: [1.51884115, 0.992031753, 0.623609602, 0.333333373, 0], initNoiseSigma: 1.51884115),
  ]

  @Test(arguments: variants)
  func `Euler's schedule follows its settings`(_ variant: Variant) throws {
    let scheduler = try SchedulerUnderTest("euler", config: variant.config)
    try scheduler.setTimesteps(variant.steps)
    expectClose(scheduler.timesteps, variant.timesteps, relativeL2: 1e-6, "timesteps")
    let sigmas = try scheduler.sigmas()
    #expect(sigmas.count == variant.sigmas.count)
    for (sigma, expected) in zip(sigmas, variant.sigmas) {
      #expect(abs(sigma - expected) <= 2e-6 * expected)
    }
    #expect(
      abs(scheduler.initNoiseSigma - variant.initNoiseSigma) <= 2e-6 * variant.initNoiseSigma)
  }

  @Test(arguments: [
    ("trailing", [Float(999), 799, 599, 399, 199]), ("linspace", [999, 749, 500, 250, 0]),
  ])
  func `DDPM's timesteps are whole numbers`(_ spacing: String, _ timesteps: [Float]) throws {
    let scheduler = try SchedulerUnderTest("ddpm", config: #"{"timestep_spacing": "\#(spacing)"}"#)
    try scheduler.setTimesteps(5)
    #expect(scheduler.timesteps == timesteps)
  }

  struct DDPMStep: CustomTestStringConvertible {
    let config: String
    let previous, original, last: [Float]

    var testDescription: String { config }
  }

  static let ddpmSteps = [
    DDPMStep(
      config: #""variance_type": "fixed_large", "clip_sample": false"#,
      previous: [1.09699059, -3.35014415, 3.14889288],
      original: [0.418114573, -3.35024834, 3.30260658],
      last: [0.49146238, -1.52688873, 2.00668406]),
    DDPMStep(
      config: #""variance_type": "fixed_small_log", "prediction_type": "v_prediction""#,
      previous: [0.657641649, -1.57303512, 1.51744521], original: [0.0981731862, -1, 1],
      last: [0.491040915, -1, 1]),
    DDPMStep(
      config: #""prediction_type": "sample""#, previous: [0.79062438, -0.321133852, 0.726770759],
      original: [0.3, 0.9, -0.2], last: [0.3, 0.9, -0.2]),
    DDPMStep(
      config: #""clip_sample_range": 0.5"#, previous: [0.868449569, -1.24358749, 1.18799758],
      original: [0.418114573, -0.5, 0.5], last: [0.49146238, -0.5, 0.5]),
  ]

  @Test(arguments: ddpmSteps)
  func `a DDPM step follows its settings and ends without noise`(_ golden: DDPMStep) throws {
    let scheduler = try SchedulerUnderTest("ddpm", config: "{\(Self.scaled), \(golden.config)}")
    let (output, sample): ([Float], [Float]) = ([0.3, 0.9, -0.2], [0.5, -1.5, 2])
    try scheduler.setTimesteps(5)
    #expect(scheduler.needsNoise(2) && !scheduler.needsNoise(4))
    let step = try scheduler.step(2, output: output, sample: sample, noise: [1, -1, 0.5])
    expectClose(step.previous, golden.previous, relativeL2: 2e-6)
    expectClose(step.original, golden.original, relativeL2: 2e-6)
    try scheduler.setTimesteps(5)
    let last = try scheduler.step(4, output: output, sample: sample)
    expectClose(last.previous, golden.last, relativeL2: 2e-6)
  }
}
