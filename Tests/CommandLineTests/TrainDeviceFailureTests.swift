import Foundation
import TestSupport
import Testing

/// A device that fails on the way: one clear error that says where to go on, and going on gives the bytes of a run that
/// never failed.
@Suite("espalier train on a device that fails") struct TrainDeviceFailureTests {
  private let folder: TrainingFolder
  /// Of one optimizer step without accumulation: losses and gradients, their norm, the update.
  private static let executions = 3
  private static let steps = 4

  init() throws {
    folder = try TrainingFolder()
    // Fills the caches, so that the runs below execute training steps only.
    try folder.train("whole", steps: Self.steps)
  }

  /// How the device fails in step 3, and the step of the state that must stand afterwards.
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let execution: Int
    let macros: [String: String]
    let flags: [String]
    let saved: Int?

    init(
      _ description: String, execution: Int, _ macros: [String: String], every: Int? = nil,
      saved: Int?
    ) {
      testDescription = description
      self.execution = 2 * TrainDeviceFailureTests.executions + execution
      self.macros = macros
      flags = every.map { ["--checkpointing_steps", "\($0)"] } ?? []
      self.saved = saved
    }
  }

  private static let lost = ["CODE": "ESP_DEVICE_LOST", "DEAD": "1"]
  private static let full = ["CODE": "ESP_OUT_OF_MEMORY"]

  static let cases = [
    Case("lost, states saved", execution: 1, lost, every: 1, saved: 2),
    Case("lost, an older state saved", execution: 2, lost, every: 1, saved: 2),
    Case("lost, nothing saved", execution: 1, lost, saved: nil),
    Case("lost, found out later", execution: 1, lost + ["LATE": "1"], every: 2, saved: 2),
    Case("lost in the update, found out later", execution: 3, lost + ["LATE": "1"], saved: nil),
    Case("out of memory", execution: 1, full, saved: 2),
    Case("out of memory, found out later", execution: 2, full + ["LATE": "1"], saved: 2),
    Case("refused by the driver", execution: 2, ["CODE": "ESP_INTERNAL"], saved: 2),
    // The parameters may be partly those of the next step: no state to save.
    Case("out of memory after the update", execution: 3, full + ["AFTER": "1"], saved: nil),
    Case(
      "out of memory after the update, states saved", execution: 3, full + ["AFTER": "1"],
      every: 1, saved: 2),
    // Says that it is full and does not answer afterwards.
    Case("out of memory, then silent", execution: 1, full + ["DEAD": "1"], every: 1, saved: 2),
  ]

  @Test(arguments: cases)
  func `the last state stands, is named, and can be continued from`(_ failure: Case) throws {
    let plugin = try WrapperBackend.build(
      failure.macros + ["EXECUTION": "\(failure.execution)"], in: folder.folder)
    let result = try Program.run(
      folder.arguments("out", steps: Self.steps, failure.flags + plugin))
    folder.expectOneError(result, naming: ["step 3 failed", "the test pulled the plug"])
    #expect(!FileManager.default.fileExists(atPath: folder.file("out/config.json")))
    guard let saved = failure.saved else {
      #expect(result.error.contains("nothing yet"), Comment(rawValue: result.error))
      #expect(folder.checkpoints("out") == [])
      return
    }
    let state = folder.file("out/checkpoint-\(saved)")
    folder.expectOneError(
      result,
      naming: ["the state after step \(saved)\n", "--resume_from_checkpoint \(state)\n"])
    try folder.expectWhole("out", saved)
    try folder.train("out", steps: Self.steps, ["--resume_from_checkpoint", state])
    #expect(try folder.adapterBytes("out") == folder.adapterBytes("whole"))
  }

  @Test func `a continued run that fails at once names the state that it came from`() throws {
    try folder.train("out", steps: 2)
    let plugin = try WrapperBackend.build(Self.lost + ["EXECUTION": "1"], in: folder.folder)
    let result = try Program.run(
      folder.arguments("out", steps: 4, plugin + ["--resume_from_checkpoint", "latest"]))
    folder.expectOneError(
      result, naming: ["step 3 failed", "the state after step 2", "device lost"])
    #expect(folder.checkpoints("out") == [2])
  }
}

private func + (a: [String: String], b: [String: String]) -> [String: String] {
  a.merging(b) { $1 }
}
