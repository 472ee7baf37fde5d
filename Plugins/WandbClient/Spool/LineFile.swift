import EspalierABI
import EspalierPluginKit
import Glibc
import LogFiles

/// Lines that wait in a file for a server, numbered from 0; those before `sent` have arrived.
///
/// What is in memory does not grow with the file.
struct LineFile {
  private let file: AppendedFile
  private let path: String
  /// How many lines there are.
  private(set) var count = 0
  /// The first line that has not arrived.
  private(set) var sent = 0
  /// Where line `sent` begins.
  private var sentEnd = 0
  /// Where the last line begins.
  private var lastStart = 0

  private static let chunk = 1 << 18

  /// Opens the file, or makes an empty one; a last line that a crash left incomplete is cut off.
  init(_ folder: LogFolder, _ name: String) throws(PluginError) {
    file = try AppendedFile(folder, name)
    path = folder.file(name)
    var (lines, last, end) = (0, 0, 0)
    try forEachLine(from: 0) { _, next in
      (lines, last, end) = (lines + 1, end, next)
      return true
    }
    (count, lastStart) = (lines, last)
    try file.cut(to: end)
  }

  /// - Parameter line: Without line breaks.
  mutating func append(_ line: String) throws(PluginError) {
    let start = file.end
    try file.append(Array(line.utf8) + [0x0A])
    lastStart = start
    count += 1
  }

  /// The last line; nil if there is none.
  func last() throws(PluginError) -> String? {
    var last: String?
    if count > 0 {
      try forEachLine(from: lastStart) { line, _ in
        last = line
        return false
      }
    }
    return last
  }

  /// Lines from `sent` on: as many as fit into a number of bytes, but one at least.
  func unsent(atMost byteCount: Int) throws(PluginError) -> [String] {
    var lines: [String] = []
    var left = byteCount
    guard sent < count else { return lines }
    try forEachLine(from: sentEnd) { line, _ in
      left -= line.utf8.count
      guard lines.isEmpty || left >= 0 else { return false }
      lines.append(line)
      return left > 0
    }
    return lines
  }

  /// Every line from the first on, as long as `visit` returns true.
  func visit(_ visit: (String) -> Bool) throws(PluginError) {
    try forEachLine(from: 0) { line, _ in visit(line) }
  }

  /// Says which lines have arrived: all before `index`, which may also lie before `sent`.
  mutating func setSent(_ index: Int) throws(PluginError) {
    let index = min(max(index, 0), count)
    if index < sent { (sent, sentEnd) = (0, 0) }
    var (line, end) = (sent, sentEnd)
    if line < index {
      try forEachLine(from: end) { _, next in
        line += 1
        end = next
        return line < index
      }
    }
    (sent, sentEnd) = (line, end)
  }

  func sync() throws(PluginError) { try file.sync() }

  /// - Parameter visit: Gets each complete line and where the next one begins; returns false to end.
  private func forEachLine(
    from start: Int, _ visit: (_ line: String, _ next: Int) -> Bool
  ) throws(PluginError) {
    let input = open(path, O_RDONLY | O_CLOEXEC)
    guard input >= 0 else { throw failure("open") }
    defer { close(input) }
    var (position, rest) = (start, [UInt8]())
    while true {
      let bytes = try read(input, at: position + rest.count)
      if bytes.isEmpty { return }
      rest += bytes
      var begin = 0
      while let end = rest[begin...].firstIndex(of: 0x0A) {
        let line = String(decoding: rest[begin..<end], as: UTF8.self)
        begin = end + 1
        if !visit(line, position + begin) { return }
      }
      rest.removeFirst(begin)
      position += begin
    }
  }

  private func read(_ input: Int32, at offset: Int) throws(PluginError) -> [UInt8] {
    var count = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: Self.chunk) { buffer, filled in
      repeat {
        count = pread(input, buffer.baseAddress, Self.chunk, off_t(offset))
      } while count < 0 && errno == EINTR
      filled = max(count, 0)
    }
    guard count >= 0 else { throw failure("read") }
    return bytes
  }

  private func failure(_ operation: String) -> PluginError {
    let code = errno
    return PluginError(
      ESP_IO, "wandb logger: cannot \(operation) \(path): \(String(cString: strerror(code)))",
      nativeCode: code)
  }
}
