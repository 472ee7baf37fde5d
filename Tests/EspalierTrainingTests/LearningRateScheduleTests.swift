import EspalierTraining
import TestSupport
import Testing

/// Goldens: `lr_schedules.json`, made with Diffusers' `get_scheduler`.
@Suite("LearningRateSchedule") struct LearningRateScheduleTests {
  private struct Golden: Decodable {
    let rate: Double
    let warmup: Int
    let total: Int
    let cycles: Int
    let power: Double
    let values: [String: [Double]]

    enum CodingKeys: String, CodingKey {
      case rate = "base_lr"
      case warmup, total
      case cycles = "num_cycles"
      case power, values
    }
  }

  @Test func `every schedule follows Diffusers, beyond its last step too`() throws {
    let golden = try Fixtures.decode(Golden.self, from: "lr_schedules.json")
    #expect(Set(golden.values.keys) == Set(LearningRateSchedule.Kind.allCases.map(\.rawValue)))
    for (name, values) in golden.values {
      let schedule = try LearningRateSchedule(
        kind: try #require(LearningRateSchedule.Kind(rawValue: name)), baseRate: golden.rate,
        warmupSteps: golden.warmup, totalSteps: golden.total, cycles: golden.cycles,
        power: golden.power)
      #expect(values.count > golden.total)
      for (step, value) in values.enumerated() {
        let rate = schedule.rate(at: step)
        #expect(abs(rate - value) <= 1e-12 * golden.rate, "\(name), step \(step)")
      }
    }
  }

  @Test func `a warmup longer than the run never reaches the full rate`() throws {
    for kind in LearningRateSchedule.Kind.allCases where kind != .constant {
      let schedule = try LearningRateSchedule(
        kind: kind, baseRate: 1e-3, warmupSteps: 500, totalSteps: 10)
      let rates = (0..<10).map { schedule.rate(at: $0) }
      #expect(rates == (0..<10).map { 1e-3 * Double($0) / 500 })
    }
  }

  @Test func `a run without warmup or steps gives finite rates`() throws {
    for kind in LearningRateSchedule.Kind.allCases {
      let schedule = try LearningRateSchedule(
        kind: kind, baseRate: 1e-3, warmupSteps: 0, totalSteps: 0)
      for step in 0..<3 {
        let rate = schedule.rate(at: step)
        #expect(rate.isFinite && (0...1e-3).contains(rate), "\(kind.rawValue), step \(step)")
      }
    }
  }

  @Test(arguments: [1e-7, 1e-9])
  func `polynomial must start above its end`(rate: Double) {
    #expect(throws: TrainingError.self) {
      try LearningRateSchedule(kind: .polynomial, baseRate: rate, warmupSteps: 0, totalSteps: 10)
    }
    #expect(throws: Never.self) {
      try LearningRateSchedule(kind: .linear, baseRate: rate, warmupSteps: 0, totalSteps: 10)
    }
  }
}
