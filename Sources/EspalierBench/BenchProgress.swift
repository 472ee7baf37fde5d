import Foundation

/// What goes on, on standard error.
enum BenchProgress {
  static func write(_ line: String) {
    FileHandle.standardError.write(Data((line + "\n").utf8))
  }
}
