import EspalierBenchKit
import Foundation

/// One row: what this program needs for a piece of work, and what PyTorch needs.
struct Comparison: Codable {
  let work: Work
  let title: String
  /// True for this program without a pass that it normally runs.
  let isBaseline: Bool
  let ours: Measurement
  let pytorch: Measurement?

  /// Our median over PyTorch's; below 1 this program is faster.
  var timeRatio: Double? { pytorch.map { ours.median / $0.median } }
  /// Our median processor time over PyTorch's.
  var cpuRatio: Double? { pytorch.map { ours.cpuMedian / $0.cpuMedian } }
  /// Our peak over PyTorch's.
  var memoryRatio: Double? {
    pytorch.map { Double(ours.peakMemoryBytes) / Double($0.peakMemoryBytes) }
  }
}

/// All rows as text.
struct BenchReport {
  let options: MeasurementOptions
  let hasPyTorch: Bool
  let comparisons: [Comparison]

  var text: String {
    let main = comparisons.filter { !$0.isBaseline }
    var parts = [hasPyTorch ? besidePyTorch(main) : alone(main)]
    if main.count < comparisons.count { parts.append(baselines) }
    parts.append(notes)
    return parts.joined(separator: "\n\n")
  }

  private func alone(_ rows: [Comparison]) -> String {
    TextTable(
      header: ["work", "median ms", "min ms", "CPU ms", "peak MiB"],
      rows: rows.map { [$0.title] + Self.cells($0.ours) }
    ).text
  }

  private func besidePyTorch(_ rows: [Comparison]) -> String {
    TextTable(
      header: [
        "work", "median ms", "min ms", "CPU ms", "peak MiB", "PyTorch median ms", "min ms",
        "CPU ms",
        "peak MiB", "time ratio", "CPU ratio", "memory ratio",
      ],
      rows: rows.map { row in
        [row.title] + Self.cells(row.ours)
          + (row.pytorch.map(Self.cells) ?? ["", "", "", ""])
          + [Self.ratio(row.timeRatio), Self.ratio(row.cpuRatio), Self.ratio(row.memoryRatio)]
      }
    ).text
  }

  /// This program without passes, and what the passes make of it.
  private var baselines: String {
    TextTable(
      header: [
        "without passes", "median ms", "min ms", "CPU ms", "peak MiB", "time ratio", "memory ratio",
      ],
      rows: comparisons.filter(\.isBaseline).map { row in
        let usual = comparisons.first { !$0.isBaseline && $0.work == row.work }?.ours
        return [row.title] + Self.cells(row.ours)
          + [
            Self.ratio(usual.map { $0.median / row.ours.median }),
            Self.ratio(
              usual.map { Double($0.peakMemoryBytes) / Double(row.ours.peakMemoryBytes) }),
          ]
      }
    ).text
  }

  private var notes: String {
    var lines = [
      "\(options.threads) threads, \(options.resolution)×\(options.resolution) pixels, "
        + "\(comparisons.first?.ours.milliseconds.count ?? 0) repetitions each."
    ]
    if comparisons.contains(where: \.isBaseline) {
      lines.append("A ratio in the second table is the first table's number over this one.")
    }
    if let pytorch = comparisons.lazy.compactMap(\.pytorch).first {
      lines.append("Beside \(pytorch.program). Ratios are this program's number over PyTorch's.")
      lines.append(
        "Resident before the model is opened: \(Self.mebibytes(pytorch.startMemoryBytes)) MiB there, "
          + "\(Self.mebibytes(comparisons[0].ours.startMemoryBytes)) MiB here.")
    }
    for row in comparisons {
      guard let pytorch = row.pytorch else { continue }
      lines.append(
        String(
          format: "%@: results differ by %.1e (relative).", row.title,
          row.ours.difference(from: pytorch)))
    }
    return (lines + goals).joined(separator: "\n")
  }

  private var goals: [String] {
    comparisons.compactMap { row in
      guard let goal = row.work.targets, let time = row.timeRatio, let memory = row.memoryRatio
      else { return nil }
      return "\(row.title): time ratio \(Self.ratio(time)), goal \(goal.time), "
        + "\(time <= goal.time ? "reached" : "missed"); memory ratio \(Self.ratio(memory)), "
        + "goal \(goal.memory), \(memory <= goal.memory ? "reached" : "missed")."
    }
  }

  private static func cells(_ measurement: Measurement) -> [String] {
    [
      String(format: "%.1f", measurement.median), String(format: "%.1f", measurement.minimum),
      String(format: "%.1f", measurement.cpuMedian), mebibytes(measurement.peakMemoryBytes),
    ]
  }

  private static func mebibytes(_ bytes: Int) -> String {
    String(format: "%.0f", Double(bytes) / 1_048_576)
  }

  private static func ratio(_ value: Double?) -> String {
    value.map { String(format: "%.2f", $0) } ?? ""
  }
}
