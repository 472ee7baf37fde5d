import EspalierCheckpoints
import EspalierTensors
import Foundation
import TestSupport
import Testing

/// Trajectories of Diffusers' schedulers over the fake model of `schedulers.json`.
@Suite struct SchedulerGoldenTests {
  /// A case of the file whose class the library offers.
  struct Case: CustomTestStringConvertible {
    let name: String
    let className: String
    let config: String
    let steps: Int
    let modelCalls: Int
    let initNoiseSigma: Double
    let noiseSeed: Int

    var testDescription: String { name }
  }

  static func cases() throws -> [Case] {
    let file = try Data(contentsOf: URL(fileURLWithPath: Fixtures.path("schedulers.json")))
    let root = try unwrap(JSONSerialization.jsonObject(with: file) as? [String: Any])
    let offered = Set(try SchedulerUnderTest.offered())
    let digits = try unwrap(root["x0"] as? String).split(whereSeparator: { !$0.isNumber })
    let noiseSeed = try unwrap(digits.last.flatMap { Int($0) })
    let cases = try unwrap(root["cases"] as? [String: [String: Any]])
    return try cases.compactMap { name, value in
      let className = try unwrap(value["class"] as? String)
      guard offered.contains(className) else { return nil }
      let config = try JSONSerialization.data(withJSONObject: try unwrap(value["config"]))
      return Case(
        name: name, className: className, config: String(decoding: config, as: UTF8.self),
        steps: try unwrap(value["steps"] as? Int),
        modelCalls: try unwrap(value["model_calls"] as? Int),
        initNoiseSigma: try unwrap(value["init_noise_sigma"] as? Double), noiseSeed: noiseSeed)
    }.sorted { $0.name < $1.name }
  }

  @Test func `every class of the library has a golden case`() throws {
    let covered = Set(try Self.cases().map(\.className))
    #expect(covered == Set(try SchedulerUnderTest.offered()))
  }

  @Test(arguments: try cases())
  func `timesteps and noise levels are those of Diffusers`(_ golden: Case) throws {
    let file = try Fixtures.tensors("schedulers/\(golden.name).safetensors")
    let scheduler = try SchedulerUnderTest(golden.className, config: golden.config)
    try scheduler.setTimesteps(golden.steps)
    #expect(scheduler.callCount == golden.modelCalls)
    expectClose(
      scheduler.timesteps, try file.tensor("timesteps").floats(), relativeL2: 1e-7, "timesteps")
    if file.names.contains("sigmas") {
      expectClose(
        try scheduler.sigmas(), try file.tensor("sigmas").floats(), relativeL2: 2e-7, "sigmas")
    }
    #expect(abs(scheduler.initNoiseSigma - golden.initNoiseSigma) <= 1e-6 * golden.initNoiseSigma)
  }

  @Test(arguments: try cases())
  func `a trajectory over the fake model is that of Diffusers`(_ golden: Case) throws {
    let file = try Fixtures.tensors("schedulers/\(golden.name).safetensors")
    let scheduler = try SchedulerUnderTest(golden.className, config: golden.config)
    try scheduler.setTimesteps(golden.steps)
    let samples = try scheduler.trajectory(
      from: file.tensor("x0").floats(), noiseSeed: golden.noiseSeed)
    for (call, sample) in samples.enumerated() where file.names.contains("x\(call + 1)") {
      let expected = try file.tensor("x\(call + 1)").floats()
      expectClose(sample, expected, relativeL2: 2e-6, "\(golden.name) after call \(call)")
      expectClose(sample, expected, absolute: 1e-4, "\(golden.name) after call \(call)")
    }
  }
}
