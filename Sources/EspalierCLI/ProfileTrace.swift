import EspalierHost
import EspalierTensors
import Foundation

/// A profile in the trace-event format that browsers and Perfetto show.
enum ProfileTrace {
  private struct Event: Encodable {
    struct Arguments: Encodable { let layer: String }
    let name: String
    let cat: String
    let ph = "X"
    let pid = 1
    let tid = 1
    /// Microseconds.
    let ts, dur: Double
    let args: Arguments
  }

  /// What the format keeps for the writer's own notes.
  private struct Notes: Encodable {
    /// Of all operations' time, 0 to 1.
    let shareOutsideProducts: Double
    let summary: String
  }

  private struct Document: Encodable {
    let traceEvents: [Event]
    let displayTimeUnit = "ms"
    let otherData: Notes
  }

  /// Writes all events, times from the first one on, and how the time splits.
  ///
  /// - Returns: One line that tells how the time splits.
  /// - Throws: `FileError`.
  static func write(_ profile: ExecutionProfile, to path: String) throws -> String {
    let start = profile.events.map(\.begin).min() ?? 0
    let events = profile.events.map { event in
      Event(
        name: "\(event.code)", cat: event.isBackward ? "backward" : "forward",
        ts: Double(event.begin - start) / 1000, dur: Double(event.end - event.begin) / 1000,
        args: Event.Arguments(layer: event.path))
    }
    let shares = ProfileShares(profile)
    let notes = Notes(shareOutsideProducts: shares.outsideProducts, summary: shares.text)
    let data = try JSONEncoder().encode(Document(traceEvents: events, otherData: notes))
    try AtomicFile.write(Array(data), to: path)
    return "the profile is in \(path); \(shares.text)"
  }
}
