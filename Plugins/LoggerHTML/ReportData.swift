import EspalierPluginKit
import Glibc
import LogFiles

/// A report as the JSON that the page's scripts read.
struct ReportData {
  /// The last step of the run, nil if that is not known.
  let totalSteps: Int64?
  /// How often an open page looks for news.
  let refreshSeconds: Double

  func json(_ report: Report) -> JSONValue {
    .object([
      "id": .string(report.id),
      "project": .string(report.project),
      "status": .string(report.status.rawValue),
      "exit_code": .number(Double(report.exitCode)),
      "step": .number(Double(report.step)),
      "total_steps": totalSteps.map { .number(Double($0)) } ?? .null,
      "begun": .number(report.begun),
      "updated": .number(report.updated),
      "elapsed": Self.number(report.elapsed),
      "seconds_left": report.secondsLeft(totalSteps: totalSteps).map(Self.number) ?? .null,
      "refresh_seconds": .number(refreshSeconds),
      "settings": .array(Self.settings(report)),
      "series": .array(Self.ordered(report).map(Self.json)),
      "images": .array(report.pictures.sets.map(Self.json)),
    ])
  }

  /// Those that were set, as pairs of texts.
  private static func settings(_ report: Report) -> [JSONValue] {
    guard case .object(let settings) = report.settings else { return [] }
    return settings.filter { $0.value != .null }.sorted { $0.key < $1.key }.map { name, value in
      let text = if case .string(let text) = value { text } else { value.text }
      return .array([.string(name), .string(text)])
    }
  }

  /// The metrics that Espalier itself records come first, in the order of the page's layout.
  private static func ordered(_ report: Report) -> [(name: String, values: Series)] {
    let first = [
      "loss", "lr", "grad_norm", "images_per_second", "step_seconds", "peak_memory_bytes",
    ]
    return first.compactMap { name in report.series.first { $0.name == name } }
      + report.series.filter { !first.contains($0.name) }
  }

  private static func json(_ series: (name: String, values: Series)) -> JSONValue {
    let buckets = series.values.buckets
    var members: [String: JSONValue] = [
      "name": .string(series.name),
      "width": .number(Double(series.values.width)),
      "steps": .array(buckets.map { .number(Double($0.lastStep)) }),
      "mean": .array(buckets.map { $0.mean.map(number) ?? .null }),
      "last": number(series.values.last),
    ]
    if series.values.width > 1 {
      members["low"] = .array(buckets.map { number($0.low) })
      members["high"] = .array(buckets.map { number($0.high) })
    }
    return .object(members)
  }

  private static func json(_ set: PictureSets.PictureSet) -> JSONValue {
    .object([
      "step": .number(Double(set.step)), "tag": .string(set.tag),
      "images": .array(
        set.pictures.map { picture in
          .object([
            "file": .string(picture.file), "caption": .string(picture.caption),
            "width": .number(Double(picture.width)), "height": .number(Double(picture.height)),
          ])
        }),
    ])
  }

  /// Six digits are more than a curve shows; what is not finite is null.
  private static func number(_ value: Double) -> JSONValue {
    guard value.isFinite else { return .null }
    guard value != 0 else { return .number(0) }
    let digits = 6 - Int(log10(abs(value)).rounded(.up))
    // Beyond these the scale itself is not exact.
    guard (-15...22).contains(digits) else { return .number(value) }
    let scale = pow(10, Double(abs(digits)))
    return .number(
      digits < 0 ? (value / scale).rounded() * scale : (value * scale).rounded() / scale)
  }
}
