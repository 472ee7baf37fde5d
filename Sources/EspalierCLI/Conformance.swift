import ArgumentParser
import EspalierConformance
import EspalierHost
import EspalierTensors
import Foundation

/// `espalier conformance`: every operation of a backend plugin against references.
struct Conformance: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Checks a backend plugin: every operation against a double-precision reference.",
    discussion: """
      Exits with 0 if every case passes, 1 if one fails, 3 if all that the backend offers passes but \
      it does not offer everything.
      """)

  /// Which shapes are tried.
  enum Shapes: String, CaseIterable, ExpressibleByArgument {
    case small, sdxl, all

    var sets: [ShapeSet] {
      switch self {
      case .small: [.small]
      case .sdxl: [.sdxl]
      case .all: ShapeSet.allCases
      }
    }
  }

  @Argument(
    help: ArgumentHelp(
      "The plugin's file, and after a colon a device by number or by a part of its name.",
      valueName: "file.so[:device]"))
  var target: String

  @Option(help: "Small and odd shapes, those of Stable Diffusion XL, or both.")
  var shapes = Shapes.small

  @Option(
    name: .customLong("op"),
    help: ArgumentHelp(
      "Only this operation, as in linear or conv2d_dx (repeatable).", valueName: "name"))
  var operations: [String] = []

  @OptionGroup var backendOptions: BackendOptionFlags

  @Option(help: ArgumentHelp("Write all results to this file as JSON.", valueName: "file"))
  var json: String?

  @Option(
    help: ArgumentHelp(
      "Compute with this many threads (default: ESPALIER_NUM_THREADS, else one for each core).",
      valueName: "count"))
  var threads: Int?

  @Option(
    help: ArgumentHelp(
      "Stop a case after this time and count it as failed.", valueName: "seconds"))
  var timeout = 300

  @Flag(
    name: .customLong("in-process"),
    help: "Run the cases in this process, for a debugger: a plugin that crashes ends the command.")
  var isInProcess = false

  @Option(name: .customLong("worker-from"), help: .hidden)
  var workerStart: Int?

  /// All that passes is not all that there is.
  private static let incomplete = ExitCode(3)

  mutating func validate() throws {
    for name in operations where OperationCode(name: name) == nil {
      let names = OperationCode.allCases.map(\.name).joined(separator: ", ")
      throw ValidationError("--op is '\(name)'; expected one of \(names)")
    }
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads is '\(threads)'; expected a whole number from 1 to 1024")
    }
    if timeout < 1 {
      throw ValidationError("--timeout is '\(timeout)'; expected at least 1 second")
    }
  }

  func run() throws {
    let codes = operations.compactMap { OperationCode(name: $0) }
    let cases = ConformanceSuite.cases(codes.isEmpty ? OperationCode.allCases : codes, shapes.sets)
    let worker = ConformanceWorker(
      target: ConformanceTarget(target), options: try backendOptions.assignments, threads: threads)
    if let workerStart {
      let channel = try ConformanceChannel.takeOverStandardOutput()
      return try worker.run(cases, from: workerStart, report: channel.send)
    }
    let collector = ConformanceCollector(cases, shapes: shapes.sets)
    if isInProcess {
      try worker.run(cases, from: 0, report: collector.receive)
    } else {
      try ConformanceSupervisor(
        arguments: workerArguments, timeout: timeout, collector: collector
      ).run()
    }
    let report = try collector.finish()
    if let json { try write(report, to: json) }
    if report.failed > 0 || collector.hasFault { throw ExitCode.failure }
    if report.notOffered > 0 { throw Self.incomplete }
  }

  /// The command line that runs the same cases, up to the first of them.
  private var workerArguments: [String] {
    ["conformance", target, "--shapes", shapes.rawValue]
      + operations.flatMap { ["--op", $0] }
      + backendOptions.texts.flatMap { ["--backend_option", $0] }
      + (threads.map { ["--threads", String($0)] } ?? []) + ["--worker-from"]
  }

  private func write(_ report: ConformanceReport, to path: String) throws {
    let encoder = ConformanceMessage.encoder
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try AtomicFile.write(Array(try encoder.encode(report)), to: path)
  }
}
