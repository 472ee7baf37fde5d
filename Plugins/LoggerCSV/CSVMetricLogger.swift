import EspalierPluginKit

/// One row per step in `metrics.csv`: the first column is `step`, each further one a metric by name.
///
/// A resumed run removes the rows after its last kept step and the file goes on; a new run moves a file
/// that exists aside to `metrics.1.csv`, `metrics.2.csv`, ….
///
/// A name that is new adds a column: the file is written again beside itself and renamed, older rows
/// leave the column empty. Values of one step that arrive in several calls share its row. Each row is
/// handed to the system at once, so that a crash of the program loses none.
final class CSVMetricLogger: MetricLoggerPlugin {
  static let name = "csv"
  static let version = "1.0.0"
  static let summary = "One row per step in metrics.csv of the run's folder"

  private let file: CSVFile
  private var columns: [String] = []
  /// Earlier rows are only in the file; the last one stays here, as more of its values may come.
  private var lastStep: Int64?
  private var lastValues: [String: Double] = [:]

  init(_ run: LoggerRun) throws(PluginError) {
    file = try CSVFile(directory: run.directory)
    guard let resumeStep = run.resumeStep else {
      try file.moveAsideIfPresent()
      return
    }
    let rows = try file.rows()
    guard let header = rows.first else { return }
    guard header.first == "step" else {
      throw .invalidArgument(
        "csv logger: the first column of \(file.path) is \(header.first ?? "missing"), "
          + "expected step; move that file away")
    }
    columns = Array(header.dropFirst())
    let kept = rows.dropFirst().filter { row in
      row.count == header.count && (Int64(row[0]).map { $0 <= resumeStep } ?? false)
    }
    try file.replace(with: [header] + kept)
  }

  func scalars(
    step: Int64, _ values: [(name: String, value: Double)]
  ) throws(PluginError) {
    guard !values.isEmpty else { return }
    let known = Set(columns)
    var added: [String] = []
    for (name, _) in values where !known.contains(name) && !added.contains(name) {
      added.append(name)
    }
    if !added.isEmpty { try add(columns: added) }
    let continuesRow = step == lastStep
    if !continuesRow { lastValues = [:] }
    for (name, value) in values { lastValues[name] = value }
    let row = [String(step)] + columns.map { name in lastValues[name].map { "\($0)" } ?? "" }
    try continuesRow ? file.replaceLast(with: row) : file.append(row)
    lastStep = step
  }

  func flush() throws(PluginError) { try file.sync() }

  func close() throws(PluginError) { try file.sync() }

  private func add(columns added: [String]) throws(PluginError) {
    let rows = try file.rows().dropFirst().map { row in
      row + Array(repeating: "", count: max(0, 1 + columns.count + added.count - row.count))
    }
    try file.replace(with: [["step"] + columns + added] + rows)
    columns += added
  }
}
