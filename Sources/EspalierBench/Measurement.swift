/// What one process measured, or several that did the same work; PyTorch's script prints the same keys.
struct Measurement: Codable {
  /// What measured: program or library, with its version.
  var program: String
  /// Of every timed repetition.
  var milliseconds: [Double]
  /// Processor time of every timed repetition, all threads together; with one thread it tells the speed even
  /// on a machine that is not idle.
  var cpuMilliseconds: [Double]
  /// The most that was resident in the process.
  var peakMemoryBytes: Int
  /// What was resident before the model was opened: the program and its libraries.
  var startMemoryBytes: Int
  /// Results of the work, the same for everybody who does it: the first and the last loss, or the mean
  /// square of what came out.
  var results: [Double]

  var median: Double { Self.median(milliseconds) }
  var cpuMedian: Double { Self.median(cpuMilliseconds) }
  var minimum: Double { milliseconds.min() ?? .nan }

  private static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    let half = sorted.count / 2
    guard let middle = sorted.dropFirst(half).first else { return .nan }
    return sorted.count % 2 == 1 ? middle : (sorted[half - 1] + middle) / 2
  }

  /// Adds another process's repetitions of the same work.
  mutating func merge(_ other: Measurement) {
    milliseconds += other.milliseconds
    cpuMilliseconds += other.cpuMilliseconds
    peakMemoryBytes = max(peakMemoryBytes, other.peakMemoryBytes)
    startMemoryBytes = max(startMemoryBytes, other.startMemoryBytes)
  }

  /// The largest relative difference of the results.
  func difference(from other: Measurement) -> Double {
    guard results.count == other.results.count else { return .infinity }
    return zip(results, other.results).map { abs($0 - $1) / max(abs($1), 1e-12) }.max() ?? 0
  }
}
