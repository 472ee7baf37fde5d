import EspalierTensors
import EspalierTraining
import Foundation
import TestSupport
import Testing

@Suite("CheckpointFolder") struct CheckpointFolderTests {
  private let folder: TemporaryFolder
  private let checkpoints: CheckpointFolder
  private struct Refusal: Error {}

  init() throws {
    folder = try temporaryFolder()
    checkpoints = CheckpointFolder(outputDir: folder.path)
  }

  /// A state as far as the folder knows: it holds `training_state.json`.
  private func fill(_ path: String, _ text: String = "{}") throws {
    try AtomicFile.write("weights", to: path + "/weights")
    try AtomicFile.write(text, to: path + "/training_state.json")
  }

  private func save(_ step: Int, limit: Int? = nil, text: String = "{}") throws {
    try checkpoints.save(step: step, limit: limit) { try fill($0, text) }
  }

  private func make(_ name: String) throws {
    try FileManager.default.createDirectory(
      atPath: folder.file(name), withIntermediateDirectories: true)
  }

  private func text(_ name: String) throws -> String {
    try String(contentsOfFile: folder.file(name), encoding: .utf8)
  }

  @Test func `a write that fails changes nothing`() throws {
    try save(1)
    try save(2, text: "old")
    let before = try folder.contents()
    for step in [2, 3] {
      #expect(throws: Refusal.self) {
        try checkpoints.save(step: step, limit: 1) { path in
          try fill(path, "half")
          throw Refusal()
        }
      }
    }
    #expect(try folder.contents() == before)
    #expect(try text("checkpoint-2/training_state.json") == "old")
    #expect(checkpoints.steps() == [1, 2])
  }

  @Test func `a state has its name only when it is complete`() throws {
    try checkpoints.save(step: 5, limit: nil) { path in
      try fill(path)
      #expect(checkpoints.steps() == [])
      #expect(!FileManager.default.fileExists(atPath: folder.file("checkpoint-5")))
    }
    #expect(checkpoints.steps() == [5])
    #expect(try folder.contents() == ["checkpoint-5"])
  }

  @Test func `the oldest goes only after the new one is complete`() throws {
    for step in [9, 10, 11] { try save(step, limit: 3) }
    try checkpoints.save(step: 100, limit: 3) { path in
      try fill(path)
      #expect(checkpoints.steps() == [9, 10, 11])
    }
    #expect(checkpoints.steps() == [10, 11, 100])
    try save(101, limit: 1)
    #expect(try folder.contents() == ["checkpoint-101"])
  }

  @Test func `a step can be saved again`() throws {
    try save(4, text: "old")
    try save(4, limit: 1, text: "new")
    #expect(try folder.contents() == ["checkpoint-4"])
    #expect(try text("checkpoint-4/training_state.json") == "new")
  }

  @Test func `other names are never touched`() throws {
    let foreign = [
      "checkpoints_old", "checkpoint-final", "checkpoint-007", "checkpoint--1", "checkpoint-1e3",
      "checkpoint-", "checkpoint-+5", "checkpoint-99999999999999999999", "my.unfinished",
      "checkpoint-final.unfinished", "checkpoint-007.unfinished", "checkpoint-x.replaced",
    ]
    for name in foreign {
      try make(name)
      try fill(folder.file(name))
    }
    for step in 1...5 { try save(step, limit: 1) }
    checkpoints.removeUnfinished()
    #expect(checkpoints.steps() == [5])
    #expect(try folder.contents() == (foreign + ["checkpoint-5"]).sorted())
    #expect(try checkpoints.resolve("latest") == folder.file("checkpoint-5"))
  }

  @Test func `what an interrupted save left is removed at the start`() throws {
    try save(3)
    try make("checkpoint-4.unfinished/t2iadapter")
    checkpoints.removeUnfinished()
    #expect(try folder.contents() == ["checkpoint-3"])
  }

  @Test func `a state that was moved aside for a newer one comes back`() throws {
    try save(7, text: "old")
    try FileManager.default.moveItem(
      atPath: folder.file("checkpoint-7"), toPath: folder.file("checkpoint-7.replaced"))
    checkpoints.removeUnfinished()
    #expect(try text("checkpoint-7/training_state.json") == "old")
    try make("checkpoint-7.replaced")
    checkpoints.removeUnfinished()
    #expect(try folder.contents() == ["checkpoint-7"])
    #expect(try text("checkpoint-7/training_state.json") == "old")
  }

  @Test func `a folder without a state is not the latest`() throws {
    try save(1)
    try make("checkpoint-2")
    #expect(checkpoints.steps() == [1])
    #expect(try checkpoints.resolve("latest") == folder.file("checkpoint-1"))
  }

  @Test func `states are found by path, by name and as latest`() throws {
    #expect(try checkpoints.resolve("latest") == nil)
    for step in [2, 10] { try save(step) }
    #expect(try checkpoints.resolve("latest") == folder.file("checkpoint-10"))
    #expect(try checkpoints.resolve("checkpoint-2") == folder.file("checkpoint-2"))
    #expect(try checkpoints.resolve(folder.file("checkpoint-2")) == folder.file("checkpoint-2"))
    let error = #expect(throws: TrainingError.self) { try checkpoints.resolve("checkpoint-3") }
    let text = try #require(error).description
    #expect(text.contains("checkpoint-3") && text.contains("checkpoint-2, checkpoint-10"))
  }
}
