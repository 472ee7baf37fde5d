import EspalierBenchKit
import EspalierHost
import Foundation

/// Measured rows as text: a table for this program, with PyTorch beside it if that was measured, and notes.
struct BenchReport {
  let machine: Machine
  let rows: [Comparison]
  /// The day of the measurement, `2026-11-26`.
  let date: String

  private var main: [Comparison] { rows.filter { !$0.isBaseline } }
  private var hasPeers: Bool { rows.contains { $0.pytorch != nil || $0.refusal != nil } }

  var text: String {
    var parts = [hasPeers ? besidePyTorch : alone]
    if main.count < rows.count { parts.append(baselines) }
    parts.append(notes.joined(separator: "\n"))
    return parts.joined(separator: "\n\n")
  }

  private var alone: String {
    TextTable(
      header: ["work", "median", "fastest", "CPU time", "GFLOP/s", "of peak", "peak memory"],
      rows: main.map { [$0.title] + cells($0.ours) }
    ).text
  }

  private var besidePyTorch: String {
    TextTable(
      header: [
        "work", "median", "fastest", "of peak", "peak memory", "PyTorch median", "fastest",
        "peak memory", "time ratio", "CPU ratio", "memory ratio", "goal", "", "results differ by",
      ],
      rows: main.map { row in
        let goal = Goal.of(row.row)
        return [row.title] + times(row.ours) + [share(row.ours), memory(row.ours)]
          + (row.pytorch.map { times($0) + [memory($0)] } ?? [
            row.refusal == nil ? "–" : "does not fit", "", "",
          ])
          + [row.timeRatio, row.cpuRatio, row.memoryRatio].map(Self.ratio)
          + [
            goal.map(Self.text) ?? "",
            goal?.verdict(timeRatio: row.timeRatio, peakByteCount: row.ours.peakMemoryBytes) ?? "",
            row.difference.map { String(format: "%.1e", $0.relativeL2) } ?? "",
          ]
      }
    ).text
  }

  /// This program without passes, and what the passes make of it.
  private var baselines: String {
    TextTable(
      header: [
        "without passes", "median", "fastest", "CPU time", "GFLOP/s", "of peak", "peak memory",
        "time ratio", "memory ratio",
      ],
      rows: rows.filter(\.isBaseline).map { row in
        let usual = main.first { $0.row == row.row }?.ours
        return [row.title] + cells(row.ours)
          + [
            Self.ratio(usual.map { $0.median / row.ours.median }),
            Self.ratio(
              usual.map { Double($0.peakMemoryBytes) / Double(row.ours.peakMemoryBytes) }),
          ]
      }
    ).text
  }

  private var notes: [String] {
    var lines = [
      "- \(date): \(machine.description) Convolutions count as their definition says, so Winograd's algorithm can "
        + "exceed the peak."
    ]
    let counts = rows.flatMap { [$0.ours] + [$0.pytorch].compactMap(\.self) }
      .map(\.milliseconds.count)
    if let least = counts.min(), let most = counts.max() {
      lines.append(
        "- Medians of \(least == most ? "\(least)" : "\(least) to \(most)") repetitions on each side. Peak memory is "
          + "the kernel's count for the process, pages of mapped files included.")
    }
    if rows.contains(where: \.isBaseline) {
      lines.append("- A ratio in the second table is the first table's number over this one.")
    }
    if let row = main.first(where: { $0.pytorch != nil }), let pytorch = row.pytorch {
      lines.append(
        "- Beside \(pytorch.program), f32. Ratios are this program's number over PyTorch's. Results differ by the "
          + "relative L2 norm, of the tensor that differs most. Resident before the model is opened: "
          + "\(ByteCount(pytorch.startMemoryBytes)) there, \(ByteCount(row.ours.startMemoryBytes)) here."
      )
    }
    return lines
      + main.compactMap { row in row.refusal.map { "- \(row.title), does not fit: \($0)." } }
  }

  private func cells(_ measurement: Measurement) -> [String] {
    let rate = measurement.operationsPerSecond.map { String(format: "%.0f", $0 / 1e9) } ?? ""
    return times(measurement)
      + [Self.time(measurement.cpuMedian), rate, share(measurement), memory(measurement)]
  }

  private func times(_ measurement: Measurement) -> [String] {
    [Self.time(measurement.median), Self.time(measurement.minimum)]
  }

  /// Of the multiply-add peak; above 100 % where an algorithm saves operations.
  private func share(_ measurement: Measurement) -> String {
    guard let rate = measurement.operationsPerSecond, machine.peakOperationsPerSecond > 0
    else { return "" }
    return String(format: "%.0f %%", 100 * rate / machine.peakOperationsPerSecond)
  }

  private func memory(_ measurement: Measurement) -> String {
    let mebibytes = Double(measurement.peakMemoryBytes) / 0x1p20
    return mebibytes < 1000
      ? String(format: "%.0f MiB", mebibytes) : String(format: "%.2f GiB", mebibytes / 1024)
  }

  private static func time(_ milliseconds: Double) -> String {
    switch milliseconds {
    case ..<1: String(format: "%.3f ms", milliseconds)
    case ..<1000: String(format: "%.1f ms", milliseconds)
    default: String(format: "%.2f s", milliseconds / 1000)
    }
  }

  private static func ratio(_ value: Double?) -> String {
    value.map { String(format: "%.2f", $0) } ?? ""
  }

  private static func text(_ goal: Goal) -> String {
    [goal.timeRatio.map { "≤ \(ratio($0))" }, goal.gibibytes.map { "≤ \($0) GiB" }]
      .compactMap(\.self).joined(separator: ", ")
  }
}
