import EspalierABI
import TestSupport
import Testing

@Suite struct SchedulerBoundaryTests {
  @Test func `the library hands out one plugin and then not found`() throws {
    let library = try PluginLibrary("scheduler-standard")
    #expect(library.plugin.kind == ESP_KIND_SCHEDULER)
    #expect(String(cString: library.plugin.name) == "standard")
    #expect(library.codePastTheEnd == ESP_NOT_FOUND)
  }

  @Test func `a class is found by its short name`() throws {
    let scheduler = try SchedulerUnderTest("euler")
    try scheduler.setTimesteps(3)
    #expect(scheduler.callCount == 3)
  }

  @Test func `an unknown class is refused with the classes that are there`() throws {
    let failure = try #require(refusal { _ = try SchedulerUnderTest("NoSuchScheduler") })
    #expect(failure.code == ESP_NOT_FOUND)
    #expect(failure.message.contains("EulerDiscreteScheduler"))
  }

  @Test(arguments: [
    (#"{"timestep_spacing": "sideways"}"#, ["timestep_spacing", "sideways", "leading"]),
    (#"{"num_train_timesteps": 12.5}"#, ["num_train_timesteps", "12.5", "whole number"]),
    (#"{"num_train_timesteps": 1e300}"#, ["num_train_timesteps", "1e+300"]),
    (#"{"beta_start": "0.1"}"#, ["beta_start", "\"0.1\"", "between 0 and 1"]),
    (#"{"beta_start": NaN}"#, ["beta_start", "NaN"]),
    (#"{"beta_schedule": "cosine"}"#, ["beta_schedule", "scaled_linear"]),
    (#"{"prediction_type": 3}"#, ["prediction_type", "v_prediction"]),
    (#"{"use_karras_sigmas": 1}"#, ["use_karras_sigmas", "true or false"]),
    (#"{"use_karras_sigmas": true, "use_beta_sigmas": true}"#, ["use_beta_sigmas", "only one"]),
    (#"{"sigma_min": 0}"#, ["sigma_min", "above 0"]),
    (#"{"trained_betas": [0.1, 0.2]}"#, ["trained_betas", "1000"]),
    (#"{"final_sigmas_type": "one"}"#, ["final_sigmas_type", "sigma_min"]),
    (#"{"beta_start": 0.1"#, ["JSON", "the end"]),
    ("[]", ["JSON object"]),
    (String(repeating: "[", count: 100_000), ["nesting"]),
  ])
  func `a bad value is refused by key, found and allowed`(
    _ config: String, _ parts: [String]
  ) throws {
    let failure = try #require(
      refusal { _ = try SchedulerUnderTest("EulerDiscreteScheduler", config: config) })
    #expect(failure.code == ESP_INVALID_ARGUMENT)
    for part in parts { #expect(failure.message.contains(part), "\(failure.message)") }
  }

  @Test func `unknown keys and Python's infinities are ignored`() throws {
    let config = #"{"_class_name": "X", "lambda_min_clipped": -Infinity, "skip": {"a": [1, null]}}"#
    let scheduler = try SchedulerUnderTest("euler", config: config)
    try scheduler.setTimesteps(2)
    #expect(scheduler.timesteps == [999, 0])
  }

  @Test func `a step before set_timesteps or out of order is refused`() throws {
    let scheduler = try SchedulerUnderTest("euler")
    let values: [Float] = [1, 2, 3]
    #expect(refusal { _ = try scheduler.step(0, output: values, sample: values) } != nil)
    try scheduler.setTimesteps(4)
    _ = try scheduler.step(0, output: values, sample: values)
    #expect(refusal { _ = try scheduler.step(2, output: values, sample: values) } != nil)
    #expect(refusal { _ = try scheduler.step(9, output: values, sample: values) } != nil)
    #expect(refusal { _ = try scheduler.scaleModelInput(4, values) } != nil)
    #expect(scheduler.timestep(4).isNaN)
    _ = try scheduler.step(1, output: values, sample: values)
  }

  @Test func `a generation may start in the middle of the schedule`() throws {
    let scheduler = try SchedulerUnderTest("euler")
    try scheduler.setTimesteps(4)
    _ = try scheduler.step(2, output: [0.5], sample: [1])
    _ = try scheduler.step(3, output: [0.5], sample: [1])
  }

  @Test func `a step that needs noise is refused without it`() throws {
    let scheduler = try SchedulerUnderTest("euler_ancestral")
    try scheduler.setTimesteps(4)
    #expect(scheduler.needsNoise(0))
    #expect(refusal { _ = try scheduler.step(0, output: [0.5], sample: [1]) } != nil)
    _ = try scheduler.step(0, output: [0.5], sample: [1], noise: [0.1])
  }

  @Test(arguments: [0, -1, 1001])
  func `a senseless number of steps is refused`(_ steps: Int) throws {
    let scheduler = try SchedulerUnderTest("euler")
    let failure = try #require(refusal { try scheduler.setTimesteps(steps) })
    #expect(failure.message.contains("num_inference_steps is \(steps)"))
  }
}

/// What the call was refused with, or nil if it went through.
func refusal(_ body: () throws -> Void) -> PluginFailure? {
  do {
    try body()
    return nil
  } catch { return error as? PluginFailure }
}
