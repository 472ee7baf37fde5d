/// What one process measured, or several that did the same work; PyTorch's script prints the same keys.
package struct Measurement: Codable {
  /// What measured: program or library, with its version.
  package var program: String
  /// Of every repetition that counts.
  package var milliseconds: [Double]
  /// Processor time of each, all threads together; with one thread it tells the speed even on a machine that is not
  /// idle.
  package var cpuMilliseconds: [Double]
  /// The most that was resident in the process, by the kernel's count.
  package var peakMemoryBytes: Int
  /// What was resident before the model was opened: the program and its libraries.
  package var startMemoryBytes: Int
  /// What one repetition had to do, by its shapes; this program only.
  package var floatingPointOperations: Double?

  package init(
    program: String, milliseconds: [Double], cpuMilliseconds: [Double], peakMemoryBytes: Int,
    startMemoryBytes: Int, floatingPointOperations: Double? = nil
  ) {
    self.program = program
    self.milliseconds = milliseconds
    self.cpuMilliseconds = cpuMilliseconds
    self.peakMemoryBytes = peakMemoryBytes
    self.startMemoryBytes = startMemoryBytes
    self.floatingPointOperations = floatingPointOperations
  }

  package var median: Double { Self.median(milliseconds) }
  package var cpuMedian: Double { Self.median(cpuMilliseconds) }
  package var minimum: Double { milliseconds.min() ?? .nan }

  private static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    let half = sorted.count / 2
    guard let middle = sorted.dropFirst(half).first else { return .nan }
    return sorted.count % 2 == 1 ? middle : (sorted[half - 1] + middle) / 2
  }

  /// Operations in a second; nil where they are not counted.
  package var operationsPerSecond: Double? {
    floatingPointOperations.flatMap { $0 > 0 ? $0 / median * 1e3 : nil }
  }

  /// Adds another process's repetitions of the same work.
  package mutating func merge(_ other: Measurement) {
    milliseconds += other.milliseconds
    cpuMilliseconds += other.cpuMilliseconds
    peakMemoryBytes = max(peakMemoryBytes, other.peakMemoryBytes)
    startMemoryBytes = max(startMemoryBytes, other.startMemoryBytes)
  }
}

/// Why PyTorch did not begin a piece of work, as its script says it.
package struct MeasurementRefusal: Codable {
  package let refusal: String
}
