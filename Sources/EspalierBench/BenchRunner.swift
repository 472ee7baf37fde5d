import EspalierTensors
import Foundation

/// Measures rows, each side in processes of its own, which take turns.
struct BenchRunner {
  let effort: EffortOptions
  let device: DeviceOptions
  let models: BenchModels
  /// A Python with PyTorch, and the script for it; nil to measure this program alone.
  let python: (program: String, script: String)?
  /// Processes for each measurement.
  let rounds: Int
  /// For files of results.
  let folder: String
  /// What this program needed, for rows that differ only on PyTorch's side.
  private var known: [String: Measurement] = [:]

  init(
    effort: EffortOptions, device: DeviceOptions, models: BenchModels,
    python: (program: String, script: String)?, rounds: Int, folder: String
  ) {
    self.effort = effort
    self.device = device
    self.models = models
    self.python = python
    self.rounds = rounds
    self.folder = folder
  }

  /// Measures a row; without passes, this program alone.
  ///
  /// - Throws: `ChildProcessError`, `ResultDifferenceError`, and what making a model throws.
  mutating func measure(_ row: BenchRow, without passes: PassOptions) throws -> Comparison {
    let python = row.hasPeer && passes.isEmpty ? self.python : nil
    let key = ([row.work.ours.rawValue, row.scale.rawValue] + passes.arguments)
      .joined(separator: " ")
    var ours = known[key]
    var theirs: Measurement?
    var (refusal, difference): (String?, ResultDifference?)
    let repeatsOurs = ours == nil
    for _ in 0..<rounds {
      if repeatsOurs {
        Self.add(try own(row, passes, ["--results", results(key)]).measurement(), to: &ours)
      }
      guard let python, refusal == nil else { continue }
      switch try pytorch(python, row).peerMeasurement() {
      case .measured(let measurement):
        if theirs == nil {
          difference = try ResultDifference(ours: results(key), theirs: results("pytorch"))
        }
        Self.add(measurement, to: &theirs)
      case .refused(let reason): refusal = reason
      }
    }
    try? FileManager.default.removeItem(atPath: results("pytorch"))
    known[key] = ours
    guard let ours else { preconditionFailure("there is at least one round") }
    return Comparison(
      row: row, title: title(row, passes), isBaseline: !passes.isEmpty, ours: ours,
      pytorch: theirs, refusal: refusal, difference: difference)
  }

  /// The text of a profile of this program.
  func profile(_ row: BenchRow, without passes: PassOptions) throws -> String {
    try own(row, passes, ["--profile"]).output()
  }

  private static func add(_ measurement: Measurement, to sum: inout Measurement?) {
    if sum == nil { sum = measurement } else { sum?.merge(measurement) }
  }

  private func title(_ row: BenchRow, _ passes: PassOptions) -> String {
    let switches = passes.arguments.map { String($0.dropFirst(2).replacing("-", with: " ")) }
    return (["\(row.work.title), \(row.scale.title)"] + switches).joined(separator: ", ")
  }

  private func results(_ key: String) -> String {
    "\(folder)/\(key.replacing(" ", with: "_").replacing(":", with: "_")).safetensors"
  }

  /// What both sides are told.
  private func arguments(_ row: BenchRow, _ work: Work) throws -> [String] {
    [
      "--work", work.rawValue, "--model", try models.path(row.scale), "--resolution",
      "\(row.scale.resolution)",
    ] + effort.arguments(most: row.hasPeer ? .max : 1)
  }

  private func own(
    _ row: BenchRow, _ passes: PassOptions, _ more: [String]
  ) throws -> ChildProcess {
    ChildProcess(
      program: try ChildProcess.ownPath(),
      arguments: ["bench", "measure"] + (try arguments(row, row.work.ours)) + device.arguments
        + passes.arguments + more,
      variables: ["ESPALIER_LOG": "warning"])
  }

  private func pytorch(
    _ python: (program: String, script: String), _ row: BenchRow
  ) throws -> ChildProcess {
    ChildProcess(
      program: python.program,
      arguments: [python.script] + (try arguments(row, row.work)) + [
        "--results", results("pytorch"),
      ],
      withoutVariables: ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"],
      variables: ["HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"])
  }
}
