import EspalierBenchKit
import EspalierConformance
import EspalierHost
import Foundation

/// One line of the table.
struct SpeedRow {
  let example: BenchmarkCase
  let result: Duel.Result
}

/// All lines as text.
struct SpeedReport {
  let device: DeviceInfo
  /// Of activations and weights.
  let storage: String
  let isSoftware: Bool
  /// What the peak loop is.
  let peak: String
  let usesDeviceTime: Bool
  let rounds: Int
  let rows: [SpeedRow]
  /// What ggml measured; nil if it was not asked.
  let ggml: [GGMLTiming]?

  /// What a large product must reach on a CPU driver.
  private static let goal = 0.5

  var text: String {
    guard !rows.isEmpty else { return "Vulkan: no operation was measured." }
    let header =
      ["operation", "ms", "GFLOP/s", "of peak"] + (isSoftware ? ["of peak, CPU time"] : [])
      + (ggml == nil ? [] : ["ggml GFLOP/s", "at"])
    return [
      "Vulkan device \(device.name)\(device.details.map { " (\($0))" } ?? "")",
      TextTable(header: header, rows: rows.map(cells)).text, notes.joined(separator: "\n"),
    ].joined(separator: "\n\n")
  }

  private func cells(_ row: SpeedRow) -> [String] {
    let result = row.result
    var cells = [
      row.example.title, String(format: "%.2f", result.milliseconds),
      String(format: "%.1f", result.speed), Self.percent(result.share),
    ]
    if isSoftware { cells.append(Self.percent(result.cpuShare)) }
    if let ggml {
      let found = row.example.reference?.nearest(in: ggml, storage: storage)
      cells.append(found.map { String(format: "%.1f", $0.0.gigaflops) } ?? "")
      cells.append(found.map { $0.1.description } ?? "")
    }
    return cells
  }

  private var notes: [String] {
    var notes = [
      String(
        format: "Multiply-add peak: %.1f GFLOP/s (%@), measured by turns with each operation.",
        Duel.median(rows.map(\.result.peak)), peak),
      "Medians of \(rounds) measurements; activations and weights \(storage), sums f32; "
        + (usesDeviceTime ? "time by the device's clock." : "elapsed time."),
    ]
    if isSoftware {
      notes.append(
        String(
          format: "In a second of one core the peak is %.1f GFLOP.",
          Duel.median(rows.map(\.result.cpuPeak))))
    }
    let products = rows.filter { $0.example.code == .linear }
    if isSoftware,
      let largest = products.max(by: { $0.example.operations < $1.example.operations })
    {
      let share = largest.result.cpuShare
      notes.append(
        "\(largest.example.title): \(Self.percent(share)) of the peak in CPU time, goal "
          + "\(Self.percent(Self.goal)), \(share >= Self.goal ? "reached" : "missed").")
    }
    return notes
  }

  private static func percent(_ share: Double) -> String { String(format: "%.0f %%", 100 * share) }
}
