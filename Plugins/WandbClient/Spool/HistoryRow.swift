package import EspalierPluginKit

/// All that is recorded of one step.
package struct HistoryRow: Sendable {
  package let step: Int64
  /// Seconds since 1970.
  package let timestamp: Double
  /// Seconds that the run has been going, earlier sessions included.
  package let runtime: Double
  /// By name, in the order of first appearance.
  package private(set) var values: [(key: String, value: JSONValue)] = []

  package init(step: Int64, timestamp: Double, runtime: Double) {
    (self.step, self.timestamp, self.runtime) = (step, timestamp, runtime)
  }

  /// Sets a value; one of the same name is replaced. Names that begin with an underscore are the
  /// protocol's own, so they lose it.
  package mutating func set(_ key: String, _ value: JSONValue) {
    let name = key.drop { $0 == "_" }
    let key = name.isEmpty ? "value" : String(name)
    if let index = values.firstIndex(where: { $0.key == key }) {
      values[index].value = value
    } else {
      values.append((key, value))
    }
  }

  /// The row as the server wants it. Numbers that are not finite stand there as `NaN`, `Infinity`.
  package var line: String {
    let own: [(String, JSONValue)] = [
      ("_timestamp", .number(timestamp)), ("_runtime", .number(runtime)),
    ]
    let members = (own + values.map { ($0.key, $0.value) })
      .map { JSONValue.string($0.0).text + ": " + $0.1.text }
    // A whole number without point or exponent, however large.
    return "{\"_step\": \(step), " + members.joined(separator: ", ") + "}"
  }

  /// Reads a line back; nil for what is no row.
  package init?(line: String) {
    guard let members = (try? JSONValue(parsing: line))?.members,
      let step = members["_step"]?.double.flatMap({ Int64(exactly: $0) }),
      let timestamp = members["_timestamp"]?.double, let runtime = members["_runtime"]?.double
    else { return nil }
    self.init(step: step, timestamp: timestamp, runtime: runtime)
    for (key, value) in members.sorted(by: { $0.key < $1.key }) where !key.hasPrefix("_") {
      set(key, value)
    }
  }
}
