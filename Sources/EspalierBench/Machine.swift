import EspalierHost
import Foundation

/// The machine that measures.
struct Machine: Codable {
  let processor: String
  let threads: Int
  let memoryByteCount: Int
  /// f32 operations in a second, a multiply-add counted as two, in registers on all threads; the most that was seen.
  private(set) var peakOperationsPerSecond = 0.0

  /// Starts the threads.
  ///
  /// - Throws: `PluginError.threadCount`.
  init(threads: Int) throws {
    self.threads = try ThreadPool.start(threads: threads)
    memoryByteCount = Int(ProcessInfo.processInfo.physicalMemory)
    let lines = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    processor =
      lines.split(separator: "\n").first { $0.hasPrefix("model name") }?
      .split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown"
  }

  /// Measures the peak once more.
  mutating func measurePeak() {
    peakOperationsPerSecond = max(peakOperationsPerSecond, ThreadPool.multiplyAddPeak)
  }

  /// A line for reports.
  var description: String {
    let peak = String(format: "%.0f", peakOperationsPerSecond / 1e9)
    return "\(processor), \(threads) threads, \(ByteCount(memoryByteCount)); "
      + "multiply-add peak \(peak) GFLOP/s."
  }
}
