import ArgumentParser
import EspalierConformance
import EspalierHost
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

  @Option(help: ArgumentHelp("Write all results to this file as JSON.", valueName: "file"))
  var json: String?

  @Option(
    help: ArgumentHelp(
      "Compute with this many threads (default: ESPALIER_NUM_THREADS, else one for each core).",
      valueName: "count"))
  var threads: Int?

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
  }

  func run() throws {
    let report = try ConformanceRun(
      target: ConformanceTarget(target), shapes: shapes.sets,
      operations: operations.isEmpty
        ? OperationCode.allCases : operations.compactMap { OperationCode(name: $0) },
      threads: threads
    ).report()
    if let json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
      try encoder.encode(report).write(to: URL(fileURLWithPath: json), options: .atomic)
    }
    if report.failed > 0 { throw ExitCode.failure }
    if report.notOffered > 0 { throw Self.incomplete }
  }
}
