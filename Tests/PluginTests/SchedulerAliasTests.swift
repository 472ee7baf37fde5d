import EspalierABI
import EspalierCheckpoints
import TestSupport
import Testing

/// The further names of the classes, as the boundary tells them.
@Suite struct SchedulerAliasTests {
  /// What a name stands for, as text by key.
  private func preset(_ name: String) throws -> [String: String] {
    let entry = try #require(
      try SchedulerUnderTest.entries().first { $0.shortName == name }, "\(name)")
    guard let text = entry.preset else { return [:] }
    guard case .object(let members) = try JSONValue(parsing: text.utf8) else {
      throw PluginFailure(code: ESP_INTERNAL, message: "\(name): \(text)")
    }
    return Dictionary(uniqueKeysWithValues: members.map { ($0.key, Self.text($0.value)) })
  }

  private static func text(_ value: JSONValue) -> String {
    switch value {
    case .bool(let flag): "\(flag)"
    case .number(let text), .string(let text): text
    default: "?"
    }
  }

  private let spacings = ["karras", "exponential", "beta"]

  @Test func `no two entries share a name, and the plain one of a class comes first`() throws {
    let entries = try SchedulerUnderTest.entries()
    #expect(Set(entries.map(\.shortName)).count == entries.count)
    for entry in entries where entry.isFirst { #expect(entry.preset == nil, "\(entry.className)") }
  }

  @Test(arguments: [
    "euler", "heun", "lms", "dpm2", "dpm2_ancestral", "dpm2_a", "unipc", "deis", "dpmpp_2m",
    "dpmpp_2m_sde", "dpmpp_3m", "dpmpp_3m_sde", "dpmpp_2s", "dpmpp_3s", "dpmpp_sde",
  ])
  func `a spacing's suffix adds that spacing to what the name stands for`(_ name: String) throws {
    let base = try preset(name)
    for suffix in spacings {
      var expected = base
      for other in spacings { expected["use_\(other)_sigmas"] = "\(other == suffix)" }
      if name.hasPrefix("dpmpp_2m") || name.hasPrefix("dpmpp_3m") {
        expected["use_lu_lambdas"] = "false"
      }
      #expect(try preset("\(name)_\(suffix)") == expected, "\(name)_\(suffix)")
    }
  }

  @Test func `names of DPM-Solver fix the algorithm and its order`() throws {
    #expect(try preset("dpmpp_2m") == ["algorithm_type": "dpmsolver++", "solver_order": "2"])
    #expect(
      try preset("dpmpp_3m_sde") == ["algorithm_type": "sde-dpmsolver++", "solver_order": "3"])
    #expect(try preset("dpmpp_2s") == ["algorithm_type": "dpmsolver++", "solver_order": "2"])
    #expect(try preset("dpmpp_sde") == ["algorithm_type": "sde-dpmsolver++", "solver_order": "2"])
    #expect(try preset("plms") == ["skip_prk_steps": "true"])
    #expect(try preset("euler_a").isEmpty && preset("singlestep").isEmpty)
  }

  @Test func `every name makes a scheduler whose samples stay finite`() throws {
    for entry in try SchedulerUnderTest.entries() {
      let scheduler = try SchedulerUnderTest(entry.className, config: entry.preset ?? "{}")
      try scheduler.setTimesteps(6)
      let last = try #require(
        try scheduler.trajectory(from: [1, -2, 0.5, 3], noiseSeed: 1).last, "\(entry.shortName)")
      #expect(last.allSatisfy { $0.isFinite }, "\(entry.shortName)")
    }
  }
}
