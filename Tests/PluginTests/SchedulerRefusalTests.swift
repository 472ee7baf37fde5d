import EspalierABI
import TestSupport
import Testing

/// What the classes refuse, by key, what was found and what is allowed.
@Suite struct SchedulerRefusalTests {
  @Test(arguments: [
    ("DDPMScheduler", #"{"variance_type": "learned_range"}"#, ["variance_type", "fixed_small"]),
    ("DDPMScheduler", #"{"thresholding": true}"#, ["thresholding", "false"]),
    ("DDPMScheduler", #"{"clip_sample_range": 0}"#, ["clip_sample_range", "above 0"]),
    ("DDIMScheduler", #"{"eta": 1.5}"#, ["eta", "1.5", "from 0 to 1"]),
    ("DDIMScheduler", #"{"set_alpha_to_one": "yes"}"#, ["set_alpha_to_one", "true or false"]),
    ("PNDMScheduler", #"{"skip_prk_steps": 1}"#, ["skip_prk_steps", "true or false"]),
    ("LCMScheduler", #"{"original_inference_steps": 1001}"#, ["original_inference_steps", "1000"]),
    ("LCMScheduler", #"{"timestep_scaling": 0}"#, ["timestep_scaling", "above 0"]),
    ("TCDScheduler", #"{"eta": -0.1}"#, ["eta", "-0.1"]),
    ("DPMSolverMultistepScheduler", #"{"solver_order": 4}"#, ["solver_order", "from 1 to 3"]),
    ("DPMSolverMultistepScheduler", #"{"solver_type": "bh3"}"#, ["solver_type", "midpoint, heun"]),
    (
      "DPMSolverMultistepScheduler", #"{"algorithm_type": "dpmsolver"}"#,
      ["final_sigmas_type", "sigma_min"]
    ),
    (
      "DPMSolverMultistepScheduler",
      #"{"algorithm_type": "sde-dpmsolver", "solver_order": 3, "final_sigmas_type": "sigma_min"}"#,
      ["solver_order is 3", "1 or 2"]
    ),
    (
      "DPMSolverMultistepScheduler", #"{"prediction_type": "flow_prediction"}"#,
      ["prediction_type", "v_prediction"]
    ),
    ("DPMSolverMultistepScheduler", #"{"use_flow_sigmas": true}"#, ["use_flow_sigmas", "SDXL"]),
    ("DPMSolverMultistepScheduler", #"{"variance_type": "learned"}"#, ["variance_type", "null"]),
    ("DPMSolverMultistepScheduler", #"{"thresholding": true}"#, ["thresholding", "false"]),
    (
      "DPMSolverSinglestepScheduler", #"{"algorithm_type": "sde-dpmsolver"}"#,
      ["algorithm_type", "sde-dpmsolver++"]
    ),
    ("UniPCMultistepScheduler", #"{"solver_p": {"a": 1}}"#, ["solver_p", "null"]),
    ("UniPCMultistepScheduler", #"{"predict_x0": false}"#, ["final_sigmas_type", "predict_x0"]),
    ("UniPCMultistepScheduler", #"{"lower_order_final": false}"#, ["lower_order_final", "true"]),
    (
      "UniPCMultistepScheduler", #"{"use_dynamic_shifting": true}"#,
      ["use_dynamic_shifting", "false"]
    ),
    (
      "DEISMultistepScheduler", #"{"algorithm_type": "sde-dpmsolver++"}"#,
      ["algorithm_type", "deis"]
    ),
  ])
  func `a bad value is refused`(_ name: String, _ config: String, _ parts: [String]) throws {
    let failure = try #require(refusal { _ = try SchedulerUnderTest(name, config: config) })
    #expect(failure.code == ESP_INVALID_ARGUMENT)
    for part in [name] + parts { #expect(failure.message.contains(part), "\(failure.message)") }
  }

  @Test(arguments: [
    ("PNDMScheduler", "{}", 3, ["4 or more", "skip_prk_steps"]),
    ("LCMScheduler", "{}", 51, ["original_inference_steps", "50"]),
    ("TCDScheduler", #"{"original_inference_steps": 5}"#, 6, ["original_inference_steps, 5"]),
    ("DDIMScheduler", #"{"steps_offset": 200}"#, 5, ["steps_offset", "999"]),
    ("DPMSolverMultistepScheduler", "{}", 1000, ["same noise level", "fewer steps"]),
    ("DEISMultistepScheduler", #"{"timestep_spacing": "leading"}"#, 1000, ["same noise level"]),
    (
      "DPMSolverMultistepScheduler", #"{"lambda_min_clipped": 100}"#, 5,
      ["lambda_min_clipped", "fewer steps"]
    ),
    (
      "DDIMScheduler", #"{"rescale_betas_zero_snr": true, "timestep_spacing": "trailing"}"#, 5,
      ["epsilon", "rescale_betas_zero_snr", "999"]
    ),
  ])
  func `steps that the settings do not allow are refused`(
    _ name: String, _ config: String, _ steps: Int, _ parts: [String]
  ) throws {
    let scheduler = try SchedulerUnderTest(name, config: config)
    let failure = try #require(refusal { try scheduler.setTimesteps(steps) })
    for part in parts { #expect(failure.message.contains(part), "\(failure.message)") }
  }

  @Test(arguments: ["heun", "dpm2", "dpm2_ancestral"])
  func `a generation cannot start inside a step of two calls`(_ name: String) throws {
    let scheduler = try SchedulerUnderTest(name)
    try scheduler.setTimesteps(4)
    let failure = try #require(
      refusal { _ = try scheduler.step(3, output: [0.5], sample: [1], noise: [0]) })
    #expect(failure.message.contains("second of its step"))
    _ = try scheduler.step(2, output: [0.5], sample: [1])
    _ = try scheduler.step(3, output: [0.5], sample: [1], noise: [0])
  }

  @Test func `a configuration of another class serves`() throws {
    let config =
      #"{"_class_name": "DEISMultistepScheduler", "algorithm_type": "deis", "#
      + #""solver_type": "logrho", "skip_prk_steps": true, "interpolation_type": "linear"}"#
    for name in try SchedulerUnderTest.offered() {
      try SchedulerUnderTest(name, config: config).setTimesteps(5)
    }
  }
}
