import EspalierABI
import EspalierPluginKit
import Glibc

/// The file behind the logger: appended row by row, or replaced as a whole without a moment in which
/// it is incomplete.
final class CSVFile {
  let path: String
  private var descriptor: Int32 = -1
  private var end: off_t = 0
  /// Where the last row starts.
  private var lastRow: off_t = 0

  /// - Throws: `PluginError` if the folder does not exist.
  init(path: String) throws(PluginError) {
    self.path = path
    let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    guard access(folder, W_OK) == 0 else { throw Self.failure("write in", folder) }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Renames a file that is there already to the first free `metrics.N.csv`.
  func moveAsideIfPresent() throws(PluginError) {
    guard access(path, F_OK) == 0 else { return }
    let stem = path.hasSuffix(".csv") ? String(path.dropLast(4)) : path
    var number = 1
    while access("\(stem).\(number).csv", F_OK) == 0 { number += 1 }
    guard rename(path, "\(stem).\(number).csv") == 0 else { throw Self.failure("rename", path) }
  }

  /// All rows, the header first; empty if there is no file.
  func rows() throws(PluginError) -> [[String]] {
    guard access(path, F_OK) == 0 else { return [] }
    let input = open(path, O_RDONLY | O_CLOEXEC)
    guard input >= 0 else { throw Self.failure("open", path) }
    defer { close(input) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(input, &chunk, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw Self.failure("read", path) }
      if count == 0 { return CSVText.rows(bytes) }
      bytes += chunk[..<count]
    }
  }

  /// Writes the rows beside the file and renames them into its place; later rows follow them.
  func replace(with rows: [[String]]) throws(PluginError) {
    let temporary = path + ".tmp-\(getpid())"
    let output = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard output >= 0 else { throw Self.failure("create", temporary) }
    let head = rows.dropLast().map(CSVText.line).joined()
    let last = rows.last.map(CSVText.line) ?? ""
    do throws(PluginError) {
      try write(head + last, to: output, at: 0)
      guard fsync(output) == 0 else { throw Self.failure("write", temporary) }
      guard rename(temporary, path) == 0 else { throw Self.failure("rename into", path) }
    } catch {
      close(output)
      unlink(temporary)
      throw error
    }
    if descriptor >= 0 { close(descriptor) }
    descriptor = output
    lastRow = off_t(head.utf8.count)
    end = lastRow + off_t(last.utf8.count)
  }

  func append(_ row: [String]) throws(PluginError) {
    let line = CSVText.line(row)
    try write(line, to: descriptor, at: end)
    lastRow = end
    end += off_t(line.utf8.count)
  }

  func replaceLast(with row: [String]) throws(PluginError) {
    let line = CSVText.line(row)
    try write(line, to: descriptor, at: lastRow)
    end = lastRow + off_t(line.utf8.count)
    guard ftruncate(descriptor, end) == 0 else { throw Self.failure("shorten", path) }
  }

  /// Brings the rows to the disk.
  func sync() throws(PluginError) {
    guard descriptor < 0 || fsync(descriptor) == 0 else { throw Self.failure("write", path) }
  }

  private func write(_ text: String, to output: Int32, at offset: off_t) throws(PluginError) {
    let bytes = Array(text.utf8)
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { bytes in
        pwrite(
          output, bytes.baseAddress.map { $0 + done }, bytes.count - done, offset + off_t(done))
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw Self.failure("write", path) }
      done += count
    }
  }

  private static func failure(_ operation: String, _ path: String) -> PluginError {
    PluginError(
      ESP_IO, "csv logger: cannot \(operation) \(path): \(String(cString: strerror(errno)))")
  }
}
