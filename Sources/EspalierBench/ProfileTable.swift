import EspalierBenchKit
import EspalierHost
import Foundation

/// The time of a piece of work by operation, and of its slowest nodes.
struct ProfileTable {
  private struct Row {
    let name: String
    var milliseconds = 0.0
    var calls = 0
  }

  let text: String

  /// - Parameters:
  ///   - repetitions: How often the work was done.
  ///   - milliseconds: The median of one repetition, for the share that no operation accounts for.
  init(_ profile: ExecutionProfile, repetitions: Int, milliseconds: Double) {
    let operations = Self.rows(profile, repetitions) {
      "\($0.code)" + ($0.isBackward ? " (backward)" : "")
    }
    let nodes = Self.rows(profile, repetitions) {
      "\($0.code) \($0.path)"
    }
    let total = operations.reduce(0) { $0 + $1.milliseconds }
    text = [
      "By operation, means over \(repetitions) repetitions:",
      Self.table(operations, total: total),
      String(
        format: "operations %.1f ms; the whole repetition %.1f ms (median)", total, milliseconds),
      ProfileShares(profile).text,
      "",
      "The slowest layers:",
      Self.table(Array(nodes.prefix(30)), total: total),
    ].joined(separator: "\n")
  }

  private static func rows(
    _ profile: ExecutionProfile, _ repetitions: Int,
    name: (ExecutionProfile.Event) -> String
  ) -> [Row] {
    var rows: [String: Row] = [:]
    for event in profile.events {
      let name = name(event)
      rows[name, default: Row(name: name)].milliseconds +=
        Double(event.end - event.begin) / 1e6 / Double(repetitions)
      rows[name]?.calls += 1
    }
    return rows.values
      .map { Row(name: $0.name, milliseconds: $0.milliseconds, calls: $0.calls / repetitions) }
      .sorted { ($0.milliseconds, $1.name) > ($1.milliseconds, $0.name) }
  }

  private static func table(_ rows: [Row], total: Double) -> String {
    TextTable(
      header: ["operation", "ms", "share", "calls"],
      rows: rows.map {
        [
          $0.name, String(format: "%.2f", $0.milliseconds),
          String(format: "%.1f %%", 100 * $0.milliseconds / total), "\($0.calls)",
        ]
      }
    ).text
  }
}
