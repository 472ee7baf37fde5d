import EspalierCheckpoints
import EspalierDemoKit
import EspalierTensors
import TestSupport
import Testing

@Suite("FidelityReport") struct FidelityReportTests {
  private func report(_ values: [(with: Double, without: Double)]) -> FidelityReport {
    FidelityReport(
      pictures: values.enumerated().map { index, value in
        FidelityReport.Picture(
          prompt: "circle \(index)", source: "source/\(index).png", seed: index,
          withAdapter: value.with, withoutAdapter: value.without)
      }, leastWithAdapter: 0.75, mostWithoutAdapter: 0.3)
  }

  @Test func `means decide about the goals`() {
    #expect(report([(0.5, 0.6), (1, 0)]).misses.isEmpty)
    let low = report([(0.5, 0.1), (0.99, 0.1)]).misses
    #expect(low.count == 1 && low[0].contains("0.745") && low[0].contains("0.750"))
    #expect(report([(0.9, 0.5)]).misses.count == 1)
    #expect(report([(.nan, .nan)]).misses.count == 2)
  }

  @Test func `the table has a line for each picture and the means`() {
    let lines = report([(0.8, 0.1), (0.9004, 0.05)]).table.split(separator: "\n")
    #expect(lines.count == 4)
    #expect(lines[2].contains("circle 1") && lines[2].hasSuffix("0.050     0.900"))
    #expect(lines[3].hasPrefix("mean") && lines[3].hasSuffix("0.075     0.850"))
  }

  @Test func `the file holds means, training and each picture`() throws {
    let folder = try temporaryFolder()
    try AtomicFile.write(
      #"{"training_seconds": 12.5, "training_steps": 100, "peak_memory_bytes": 123456789}"#,
      to: folder.file("training_summary.json"))
    let training = try TrainingSummary(contentsOf: folder.file("training_summary.json"))
    let json = report([(0.8, 0.1), (1, 0.2)]).json(
      training: training, settings: ["guidance_scale": .number(5.0)])
    try json.write(to: folder.file("report.json"))
    let read = try JSONObject(contentsOf: folder.file("report.json"))
    #expect(try abs(read.double("fidelity_with_adapter") - 0.9) < 1e-12)
    #expect(try read.double("training_seconds") == 12.5)
    #expect(try read.int("training_steps") == 100 && read.int("peak_memory_bytes") == 123_456_789)
    #expect(try read.object("goals").bool("met"))
    #expect(read.value("images")?[1]?["seed"]?.int == 1)
    #expect(report([(1, 0)]).json(training: nil, settings: [:])["training_steps"]?.isNull == true)
  }

  @Test func `a summary without a key names it`() throws {
    let folder = try temporaryFolder()
    let path = folder.file("training_summary.json")
    try AtomicFile.write(#"{"training_seconds": 1, "training_steps": 2}"#, to: path)
    #expect(
      throws: CheckpointError.configuration(
        path: path, key: "peak_memory_bytes", expected: "a whole number", found: "nothing")
    ) { try TrainingSummary(contentsOf: path) }
  }
}
