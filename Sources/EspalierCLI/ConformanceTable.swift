import EspalierConformance
import Foundation

/// The results of a conformance run as text.
enum ConformanceTable {
  private static let widths = [26, 11, 12, 11, 15]
  /// Faults shown below an operation.
  private static let mostFaults = 8

  static func head(_ subject: ConformanceSubject) -> String {
    """
    backend \(subject.backend) \(subject.version), device \(subject.device)
    activations \(subject.activations.joined(separator: " ")); \
    weights \(subject.weights.joined(separator: " "))

    \(line(["OPERATION", "CASES", "WORST ERROR", "OF ALLOWED", "SPEED"]))
    """
  }

  /// A line, and below it what failed.
  static func row(_ summary: OperationSummary, _ results: [CaseResult]) -> String {
    guard summary.cases > summary.notOffered else {
      return line([summary.operation, summary.cases == 0 ? "no case" : "not offered"])
    }
    let run = summary.passed + summary.failed
    var lines = [
      line([
        summary.operation, "\(summary.passed)/\(run)", String(format: "%.1e", summary.worstError),
        String(format: "%.0f %%", min(summary.ofAllowed, 9.99) * 100),
        summary.speed.map { String(format: "%.3g \($0.unit)", $0.value) } ?? "",
      ])
    ]
    let failures = results.filter { $0.status == .failed }
    for failure in failures.prefix(mostFaults) {
      lines.append("  failed: \(failure.label)")
      lines += failure.faults.map { "    \($0)" }
    }
    if failures.count > mostFaults {
      lines.append("  … and \(failures.count - mostFaults) more; --json lists all")
    }
    let missing = results.filter { $0.status == .notOffered }
    lines += missing.prefix(mostFaults).map { "  not offered: \($0.label)" }
    if missing.count > mostFaults {
      lines.append("  … and \(missing.count - mostFaults) more; --json lists all")
    }
    return lines.joined(separator: "\n")
  }

  static func foot(_ report: ConformanceReport) -> String {
    let total = report.results.count
    let text = "\n\(total) cases: \(report.passed) passed, \(report.failed) failed"
    return report.notOffered == 0 ? text : text + ", \(report.notOffered) not offered"
  }

  private static func line(_ cells: [String]) -> String {
    let padded = zip(cells, widths).enumerated().map { index, pair in
      let space = String(repeating: " ", count: max(0, pair.1 - pair.0.count))
      return index == 0 ? pair.0 + space : space + pair.0
    }
    let text = padded.joined(separator: "  ")
    return String(text.reversed().drop { $0 == " " }.reversed())
  }
}
