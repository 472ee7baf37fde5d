import ArgumentParser
import EspalierTensors
import Foundation

/// `espalier bench`: all measurements, each in a process of its own, and the tables.
struct BenchComparison: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare", abstract: "Measures rows of work and prints tables.",
    discussion: """
      Rows are the parts of a model (UNet, VAE, text encoders, adapter, training step) and single operations (linear, \
      conv2d, attention, norms) at a size: 'mini' is the demo's model, a number is Stable Diffusion XL at so many \
      pixels along a side. --list names the rows, --only chooses among them. Each is measured in a process of its \
      own, so that its peak memory is its own, and given as a share of the machine's multiply-add peak, which is \
      measured too.

      --python names a Python with PyTorch and Diffusers; then the same work is measured there too, alternately, and \
      the results are compared. Models have random weights, as 'espalier init-model' makes them, and are kept in the \
      user's cache folder; SDXL's needs 6.5 GiB there, or --model names one.
      """)

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Sizes: mini, or the pixels along a side with SDXL (default: mini).", valueName: "size"))
  var scale: [Scale] = []

  @Flag(help: "The rows that have a goal, at their sizes; in addition to those of --scale.")
  var goals = false

  @Flag(help: "Leave out single operations.")
  var parts = false

  @Option(help: "Only rows whose name contains this, as in unet-2@512 or conv2d (repeatable).")
  var only: [String] = []

  @Flag(help: "Print the names of the rows and end.")
  var list = false

  @Option(help: ArgumentHelp("SDXL's folder.", valueName: "dir"))
  var model: String?

  @OptionGroup(title: "Repetitions") var effort: EffortOptions
  @OptionGroup var device: DeviceOptions
  @OptionGroup(title: "Passes, left out in a second measurement") var passes: PassOptions

  @Option(help: "Processes for each measurement; the two sides take turns.")
  var rounds = 1

  @Option(help: "A Python with PyTorch and Diffusers (default: the environment's BENCH_PYTHON).")
  var python: String?

  @Option(help: "The script that measures PyTorch.")
  var pytorchScript = "Sources/EspalierBench/PyTorch/measure.py"

  @Option(name: .customLong("json"), help: "Write all numbers to this file as well.")
  var jsonPath: String?

  @Option(
    help: "Put the tables into this Markdown file, between the lines that name each of them.")
  var update: String?

  @Flag(
    help: "Print the time of every operation instead; of a training step if --only says nothing.")
  var profile = false

  func validate() throws {
    if rounds < 1 { throw ValidationError("--rounds is \(rounds); expected at least 1") }
    if update != nil, !only.isEmpty || profile {
      throw ValidationError(
        "--update writes whole tables; leave out --only and --profile, or print to the terminal")
    }
  }

  func run() throws {
    let rows = try choice.rows()
    if list {
      print(rows.map(\.name).joined(separator: "\n"))
      return
    }
    let sections = update.map { path in
      tables.map { MarkdownSection(name: $0.name, path: path) }
    }
    // Before minutes are spent.
    for section in sections ?? [] { try section.check() }
    let folder = try FileManager.default.url(
      for: .itemReplacementDirectory, in: .userDomainMask,
      appropriateFor: URL(fileURLWithPath: NSTemporaryDirectory()), create: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    var runner = BenchRunner(
      effort: effort, device: device, models: BenchModels(sdxl: model),
      python: pythonPath.map { ($0, pytorchScript) }, rounds: rounds, folder: folder.path)
    if profile {
      for row in rows { print(try runner.profile(row, without: passes), terminator: "") }
      return
    }
    try measure(rows, &runner, sections ?? [])
  }

  private func measure(
    _ rows: [BenchRow], _ runner: inout BenchRunner, _ sections: [MarkdownSection]
  ) throws {
    var machine = try Machine(threads: effort.threads)
    machine.measurePeak()
    var comparisons: [Comparison] = []
    var failures: [String] = []
    func add(_ row: BenchRow, _ passes: PassOptions) {
      do {
        let comparison = try runner.measure(row, without: passes)
        comparisons.append(comparison)
        BenchProgress.write(Self.line(comparison))
      } catch {
        failures.append("\(row.name): \(error)")
        BenchProgress.write("error: \(row.name): \(error)")
      }
    }
    for row in rows { add(row, .none) }
    if !passes.isEmpty {
      for row in rows where row.work.hasGraphOptions { add(row, passes) }
    }
    machine.measurePeak()
    let date = Date().formatted(.iso8601.year().month().day())
    for table in tables {
      let report = BenchReport(
        machine: machine, rows: comparisons.filter { table.contains($0.row) }, date: date)
      guard !report.rows.isEmpty else { continue }
      print("\(table.name)\n\n\(report.text)\n")
      if failures.isEmpty { try sections.first { $0.name == table.name }?.write(report.text) }
    }
    if let jsonPath {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
      try AtomicFile.write(
        Array(encoder.encode(BenchRecord(machine: machine, rows: comparisons))), to: jsonPath)
    }
    if !failures.isEmpty { throw BenchError.rows(failures) }
  }

  private var pythonPath: String? {
    (python ?? ProcessInfo.processInfo.environment["BENCH_PYTHON"])
      .flatMap { $0.isEmpty ? nil : $0 }
  }

  private var choice: RowChoice {
    RowChoice(
      scales: scale, goals: goals, parts: parts,
      only: profile && only.isEmpty ? ["training-step"] : only)
  }

  /// The tables that are printed, by the names of their places in a Markdown file.
  private var tables: [(name: String, contains: (BenchRow) -> Bool)] {
    let goals = self.goals ? [("goals", { (row: BenchRow) in Goal.of(row) != nil })] : []
    return goals
      + choice.wantedScales.map { scale in (scale.rawValue, { $0.scale == scale }) }
  }

  private static func line(_ row: Comparison) -> String {
    var text = String(
      format: "%@: %.1f ms, %.2f GiB", row.title, row.ours.median,
      Double(row.ours.peakMemoryBytes) / 0x1p30)
    if let pytorch = row.pytorch, let ratio = row.timeRatio {
      text += String(
        format: "; PyTorch %.1f ms, %.2f GiB; ratio %.3f", pytorch.median,
        Double(pytorch.peakMemoryBytes) / 0x1p30, ratio)
    }
    if let refusal = row.refusal { text += "; PyTorch does not fit: \(refusal)" }
    if let difference = row.difference {
      text += String(format: "; differs by %.1e (%@)", difference.relativeL2, difference.name)
    }
    return text
  }
}

/// The file of `--json`.
private struct BenchRecord: Codable {
  let machine: Machine
  let rows: [Comparison]
}

/// A run that did not measure everything.
enum BenchError: Error, CustomStringConvertible {
  case rows([String])

  var description: String {
    switch self {
    case .rows(let failures):
      "not everything was measured:\n" + failures.joined(separator: "\n")
    }
  }
}
