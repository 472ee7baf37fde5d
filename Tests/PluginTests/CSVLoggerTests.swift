import EspalierABI
import Foundation
import TestSupport
import Testing

@Suite struct CSVLoggerTests {
  private func logger(
    _ folder: TemporaryFolder, resumeStep: Int? = nil
  ) throws -> LoggerUnderTest {
    try LoggerUnderTest("csv", in: folder.path, resumeStep: resumeStep)
  }

  private func text(_ folder: TemporaryFolder, _ name: String = "metrics.csv") throws -> String {
    try contents(folder.file(name))
  }

  @Test func `rows are in the file before the log is closed`() throws {
    let folder = try temporaryFolder()
    let log = try logger(folder)
    try log.log(1, ["loss": 0.5, "lr": 1e-5])
    try log.log(2, ["loss": 0.25, "lr": 1e-5])
    #expect(try text(folder) == "step,loss,lr\n1,0.5,1e-05\n2,0.25,1e-05\n")
    try log.close()
  }

  @Test func `a new name adds a column and older rows leave it empty`() throws {
    let folder = try temporaryFolder()
    let log = try logger(folder)
    try log.log(1, ["loss": 0.5])
    try log.log(2, ["loss": 0.25, "a,\"b\"": 3])
    try log.log(3, ["loss": 0.125])
    try log.close()
    #expect(try text(folder) == "step,loss,\"a,\"\"b\"\"\"\n1,0.5,\n2,0.25,3.0\n3,0.125,\n")
    #expect(try folder.contents() == ["metrics.csv"])
  }

  @Test func `values of one step share a row`() throws {
    let folder = try temporaryFolder()
    let log = try logger(folder)
    try log.log(1, ["loss": 0.123456789, "held_out": 2])
    try log.log(2, ["loss": 0.123456789])
    try log.log(2, ["held_out": 1])
    try log.log(2, ["loss": 4, "new": .infinity])
    try log.close()
    #expect(
      try text(folder) == "step,loss,held_out,new\n1,0.123456789,2.0,\n2,4.0,1.0,inf\n")
  }

  @Test func `a resumed run keeps the rows up to its step and goes on`() throws {
    let folder = try temporaryFolder()
    let first = try logger(folder)
    for step in 1...4 { try first.log(step, ["loss": Double(step), "a,b": 0.5]) }
    try first.close()
    // What a crash in the middle of a write leaves.
    let path = folder.file("metrics.csv")
    try (try text(folder) + "5,3.").write(toFile: path, atomically: true, encoding: .utf8)
    let second = try logger(folder, resumeStep: 2)
    try second.log(3, ["loss": 9, "more": 1])
    try second.close()
    #expect(
      try text(folder) == "step,loss,\"a,b\",more\n1,1.0,0.5,\n2,2.0,0.5,\n3,9.0,,1.0\n")
  }

  @Test func `a new run moves an earlier file aside`() throws {
    let folder = try temporaryFolder()
    for value in [1.0, 2, 3] {
      let log = try logger(folder)
      try log.log(1, ["loss": value])
      try log.close()
    }
    #expect(try folder.contents() == ["metrics.1.csv", "metrics.2.csv", "metrics.csv"])
    #expect(try text(folder, "metrics.1.csv") == "step,loss\n1,1.0\n")
  }

  @Test func `a folder that is missing is an error that names it`() throws {
    let folder = try temporaryFolder()
    let path = folder.path
    try FileManager.default.removeItem(atPath: path)
    let failure = try #require(refusal { _ = try logger(folder) })
    #expect(failure.code == ESP_IO)
    #expect(failure.message.contains(path))
  }
}
