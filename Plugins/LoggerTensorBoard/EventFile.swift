import EspalierPluginKit
import Glibc
import LogFiles

/// A new event file in the folder of a run. Each record is handed to the system whole, so that a crash
/// loses at most the one that is being written.
///
/// Source: TensorFlow `core/lib/io/record_writer.cc` and `core/util/event.proto`.
final class EventFile {
  private let file: AppendedFile

  /// Writes the version, and that the run begins or goes on with `firstStep`: what earlier files of the
  /// folder hold of that step and later ones is dropped by readers.
  init(_ folder: LogFolder, firstStep: Int64) throws(PluginError) {
    file = try AppendedFile(folder, try Self.name(in: folder))
    let time = Clock.now
    try write(time: time, step: 0) { $0.add(3, "brain.Event:2") }
    try write(time: time, step: firstStep) { event in
      let start: Int64 = 1
      event.add(7) { $0.add(1, start) }
    }
  }

  /// Records values of one step by their tags.
  func write(step: Int64, _ values: [(tag: String, value: SummaryValue)]) throws(PluginError) {
    try write(time: Clock.now, step: step) { event in
      event.add(5) { summary in
        for (tag, value) in values { summary.add(1) { value.write(tag: tag, to: &$0) } }
      }
    }
  }

  /// Brings everything to the disk.
  func sync() throws(PluginError) { try file.sync() }

  private func write(
    time: Double, step: Int64, _ what: (inout ProtobufMessage) -> Void
  ) throws(PluginError) {
    var event = ProtobufMessage()
    event.add(1, time)
    if step != 0 { event.add(2, step) }
    what(&event)
    try file.append(Self.record(event.bytes))
  }

  /// The bytes with their length and checksums.
  private static func record(_ data: [UInt8]) -> [UInt8] {
    let length = UInt64(data.count).littleEndianBytes
    return length + CRC32C.masked(length).littleEndianBytes + data
      + CRC32C.masked(data).littleEndianBytes
  }

  /// `events.out.tfevents.SECONDS.HOST.PID.0`. Readers take the files of a folder by name, so the seconds
  /// are later than those of every file that is there, whatever the clock says.
  private static func name(in folder: LogFolder) throws(PluginError) -> String {
    let latest = try folder.names().compactMap { name -> Int? in
      guard name.hasPrefix(prefix) else { return nil }
      return Int(name.dropFirst(prefix.count).prefix { $0.isNumber })
    }.max()
    let seconds = max(Int(Clock.now), (latest ?? 0) + 1)
    let digits = String(seconds)
    let padding = String(repeating: "0", count: max(0, 10 - digits.count))
    return "\(prefix)\(padding)\(digits).\(host).\(getpid()).0"
  }

  static let prefix = "events.out.tfevents."

  private static var host: String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
    let name = String(
      decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return name.isEmpty ? "localhost" : name
  }
}
