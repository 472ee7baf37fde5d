import EspalierTensors
import Foundation
import TestSupport
import Testing

/// Settings that `schedulers.json` leaves out, against Diffusers: `Tests/SchedulerOptions/make_golden.py`.
@Suite struct SchedulerOptionTests {
  struct Case: CustomTestStringConvertible {
    let className: String
    let config: [String: Any]
    let steps: Int
    let initNoiseSigma: Double
    let timesteps, last: [Float]
    /// Nil for a class of Diffusers that keeps none.
    let sigmas: [Float]?

    var testDescription: String {
      let noise = ["beta_start", "beta_end", "trained_betas"]
      let keys = config.filter { !noise.contains($0.key) }.map { "\($0.key): \($0.value)" }
      return "\(className) \(keys.sorted().joined(separator: ", ")), \(steps) steps"
    }

    init(_ object: [String: Any]) throws {
      className = try unwrap(object["class"] as? String)
      config = try unwrap(object["config"] as? [String: Any])
      steps = try unwrap(object["steps"] as? Int)
      initNoiseSigma = try unwrap(object["init_noise_sigma"] as? Double)
      timesteps = try unwrap(object["timesteps"] as? [Double]).map { Float($0) }
      sigmas = (object["sigmas"] as? [Double]).map { $0.map { Float($0) } }
      last = try unwrap(object["last"] as? [Double]).map { Float($0) }
    }
  }

  static func cases() throws -> [Case] {
    let path = Fixtures.project + "/Tests/SchedulerOptions/golden.json"
    let file = try Data(contentsOf: URL(fileURLWithPath: path))
    return try unwrap(JSONSerialization.jsonObject(with: file) as? [[String: Any]]).map(Case.init)
  }

  @Test(arguments: try cases().indices)
  func `settings do what they do in Diffusers`(_ index: Int) throws {
    let golden = try Self.cases()[index]
    let label = golden.testDescription
    let config = try JSONSerialization.data(withJSONObject: golden.config)
    let scheduler = try SchedulerUnderTest(
      golden.className, config: String(decoding: config, as: UTF8.self))
    try scheduler.setTimesteps(golden.steps)
    expectClose(scheduler.timesteps, golden.timesteps, relativeL2: 2e-7, label)
    if let sigmas = golden.sigmas {
      expectClose(try scheduler.sigmas(), sigmas, relativeL2: 2e-7, label)
    }
    #expect(
      abs(scheduler.initNoiseSigma - golden.initNoiseSigma) <= 1e-6 * golden.initNoiseSigma,
      Comment(rawValue: label))
    var generator = TorchGenerator(seed: 61)
    let start = generator.randn(golden.last.count).map { $0 * Float(golden.initNoiseSigma) }
    let samples = try scheduler.trajectory(from: start, noiseSeed: 60)
    // Coefficients are computed in double here and in float32 there.
    expectClose(try unwrap(samples.last), golden.last, relativeL2: 5e-6, label)
  }

  @Test func `every key of every class has a golden case that sets it`() throws {
    let set = Dictionary(grouping: try Self.cases(), by: \.className)
      .mapValues { Set($0.flatMap { $0.config.keys }) }
    for entry in try SchedulerUnderTest.entries() where entry.isFirst {
      let missing = entry.options.map(\.name).filter { set[entry.className]?.contains($0) != true }
      #expect(missing.isEmpty, "\(entry.className)")
    }
  }
}
