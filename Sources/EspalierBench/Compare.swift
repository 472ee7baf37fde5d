import ArgumentParser
import EspalierGraph
import EspalierTensors
import Foundation

/// `espalier-bench`: all measurements, each in a process of its own, and the table.
struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare", abstract: "Measures training and generation and prints a table.",
    discussion: """
      The environment variable BENCH_PYTHON names a Python with PyTorch and Diffusers; then the same \
      work is measured there too, alternately. --no-fusion and --no-planner measure this program a \
      second time without those passes, for comparison.
      """)

  @OptionGroup var options: MeasurementOptions
  @OptionGroup var device: DeviceOptions
  @OptionGroup var passes: PassOptions

  @Option(help: "Measure only this (repeatable).")
  var work: [Work] = []

  @Option(help: "Processes for each measurement; the two sides take turns.")
  var rounds = 2

  @Option(name: .customLong("json"), help: "Write all numbers to this file as well.")
  var jsonPath: String?

  @Option(help: "The script that measures PyTorch.")
  var pytorchScript = "Sources/EspalierBench/PyTorch/measure.py"

  @Flag(help: "Print the time of every operation of a training step instead.")
  var profile = false

  func validate() throws {
    if rounds < 1 { throw ValidationError("--rounds is \(rounds); expected at least 1") }
  }

  func run() throws {
    if profile {
      print(try own(.trainingStep, passes.graph, ["--profile"]).output(), terminator: "")
      return
    }
    let report = try BenchReport(
      options: options, hasPyTorch: python != nil, comparisons: plan.map(measured))
    print(report.text)
    if let jsonPath {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      try AtomicFile.write(Array(encoder.encode(report.comparisons)), to: jsonPath)
    }
  }

  private var python: String? {
    ProcessInfo.processInfo.environment["BENCH_PYTHON"].flatMap { $0.isEmpty ? nil : $0 }
  }

  private typealias Row = (work: Work, passes: GraphOptions, isBaseline: Bool)

  /// The rows of the table: the passes as they are, then with gradient checkpointing, then without
  /// single passes.
  private var plan: [Row] {
    let works = work.isEmpty ? Work.allCases : work
    var rows: [Row] = works.map { ($0, GraphOptions(), false) }
    if passes.gradientCheckpointing && works.contains(.trainingStep) {
      rows.append((.trainingStep, GraphOptions(recompute: true), false))
    }
    if passes.noFusion || passes.noPlanner {
      let variant = GraphOptions(fusion: !passes.noFusion, planner: !passes.noPlanner)
      rows += works.filter(\.hasGraphOptions).map { ($0, variant, true) }
    }
    return rows
  }

  private func measured(_ row: Row) throws -> Comparison {
    var ours: Measurement?
    var theirs: Measurement?
    for _ in 0..<rounds {
      Self.add(try own(row.work, row.passes).measurement(), to: &ours)
      if let python, !row.isBaseline {
        Self.add(try pytorch(python, row.work, row.passes).measurement(), to: &theirs)
      }
    }
    guard let ours else { preconditionFailure("there is at least one round") }
    return Comparison(
      work: row.work, title: title(row), isBaseline: row.isBaseline, ours: ours, pytorch: theirs)
  }

  private static func add(_ measurement: Measurement, to sum: inout Measurement?) {
    if sum == nil { sum = measurement } else { sum?.merge(measurement) }
  }

  private func title(_ row: Row) -> String {
    let switches = row.passes.arguments.map { String($0.dropFirst(2).replacing("-", with: " ")) }
    return ([row.work.title(batchSize: options.batchSize)] + switches).joined(separator: ", ")
  }

  private func own(
    _ work: Work, _ passes: GraphOptions, _ more: [String] = []
  ) throws -> ChildProcess {
    ChildProcess(
      program: try ChildProcess.ownPath(),
      arguments: ["measure", "--work", work.rawValue] + options.arguments + device.arguments
        + passes.arguments + more)
  }

  private func pytorch(_ python: String, _ work: Work, _ passes: GraphOptions) -> ChildProcess {
    ChildProcess(
      program: python,
      arguments: [pytorchScript, "--work", work.rawValue] + options.arguments
        + (passes.recompute ? ["--gradient-checkpointing"] : []),
      withoutVariables: ["OPENBLAS_CORETYPE"])
  }
}
