import EspalierGraph

/// A part of a run between two points where memory is released: what it computes, how often, and in how much memory.
public struct PlannedPhase: Sendable {
  /// For tables: `UNet steps`.
  public let title: String
  /// For sentences: `the UNet`.
  public let subject: String
  /// Everything that is there at its peak, what earlier phases have left behind too.
  public var memory: MemoryNeed
  /// What it runs, and how often.
  public var work: [(plan: ProgramPlan, runs: Int)]
  /// The copies of weights that its programs keep; `memory` counts them.
  public private(set) var kept = KeptCopies()

  public init(
    _ title: String, subject: String, memory: MemoryNeed, work: [(plan: ProgramPlan, runs: Int)]
  ) {
    self.title = title
    self.subject = subject
    self.memory = memory
    self.work = work
  }

  /// Keeps the copies that pay, of programs that use the same weights.
  ///
  /// - Parameter others: What phases take in which the copies are there too.
  public mutating func keepCopies(
    _ cache: WeightCache, on device: ComputeDevice, beside others: [MemoryNeed] = []
  ) {
    let limit = cache.limit(on: device, beside: [memory] + others)
    kept = KeptCopies(of: work.map { ($0.plan.copies, $0.runs) }, within: limit)
    memory.packedCopies = kept.byteCount
  }

  /// How often its first program runs.
  public var runs: Int { work.first?.runs ?? 0 }

  /// Operations of matrix products, of all runs together; see `OperationCost`.
  public var floatingPointOperations: Double {
    work.reduce(0) {
      $0 + $1.plan.program.cost.floatingPointOperations * Double($1.runs)
    }
  }

  /// An estimate of its time, with the copies that it keeps.
  public func seconds(_ speed: DeviceSpeed) -> Double {
    let without = work.reduce(0) {
      $0 + speed.seconds(for: $1.plan.program) * Double($1.runs)
    }
    return max(0, without - kept.savedNanoseconds / 1e9)
  }
}
