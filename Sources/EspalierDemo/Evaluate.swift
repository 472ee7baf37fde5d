import ArgumentParser
import EspalierCheckpoints
import EspalierDemoKit
import EspalierHost
import EspalierImages
import Foundation

/// `espalier-demo evaluate`: control fidelity on held-out pictures.
struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Generates held-out pictures with and without an adapter and measures how well they "
      + "follow their control images.",
    discussion: "Writes grid.png (control, without, with, target) and report.json. Exits with 1 if "
      + "a goal is missed.")

  @Option(help: "The base model's folder.")
  var base: String

  @Option(help: "The trained adapter's folder.")
  var adapter: String

  @Option(help: "The folder of held-out pictures, with circles.json.")
  var data: String

  @Option(help: "The folder for grid.png and report.json.")
  var output: String

  @Option(help: "The training_summary.json of the adapter's training.")
  var trainingLog: String?

  @Option(help: "Evaluate only so many pictures.")
  var count: Int?

  @Option(help: "The seed of the first picture's noise; each further one takes the next.")
  var seed = 0

  @Option(help: "Steps of the Euler scheduler.")
  var numInferenceSteps = 20

  @Option(help: "The weight of the prompt.")
  var guidanceScale = 5.0

  @Option(help: "The backend, as for 'espalier generate'.")
  var backend = "auto"

  @Option(help: "Look for plugins in this folder first (repeatable).")
  var pluginDir: [String] = []

  @Option(help: "Compute with this many threads (default: one for each core).")
  var threads: Int?

  @Option(help: "The mean with the adapter must be at least this.")
  var leastFidelity = 0.75

  @Option(help: "The mean without the adapter must be at most this.")
  var mostFidelityWithout = 0.30

  func validate() throws {
    if let count, count < 1 { throw ValidationError("--count is \(count); expected at least 1") }
  }

  func run() throws {
    let training = try trainingLog.map { try TrainingSummary(contentsOf: $0) }
    try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
    try ThreadPool.start(threads: threads)
    let registry = try PluginRegistry(searchPath: PluginSearchPath(pluginDirectories: pluginDir))
    defer { registry.shutdown() }
    let evaluation = try Evaluation(self, registry: registry)
    let report = evaluation.report(leastFidelity, mostFidelityWithout)
    try evaluation.grid.writePNG(to: output + "/grid.png")
    try report.json(training: training, settings: settings(evaluation.device))
      .write(to: output + "/report.json")
    print(report.table)
    print("\(output)/grid.png\n\(output)/report.json")
    guard report.misses.isEmpty else { throw MissedGoals(misses: report.misses) }
  }

  private func settings(_ device: String) -> [String: JSONValue] {
    [
      "base": .string(base), "adapter": .string(adapter), "data": .string(data),
      "device": .string(device), "scheduler": .string("EulerDiscreteScheduler"),
      "num_inference_steps": .number(numInferenceSteps), "guidance_scale": .number(guidanceScale),
    ]
  }
}

/// The adapter did not learn what the demo is to show.
struct MissedGoals: Error, CustomStringConvertible {
  let misses: [String]

  var description: String { misses.joined(separator: "\n") }
}
