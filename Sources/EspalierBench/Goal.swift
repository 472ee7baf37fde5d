/// The least that this program must reach on two cores, beside PyTorch in f32.
package struct Goal: Equatable {
  /// The most that our median may be of PyTorch's.
  package var timeRatio: Double?
  /// The most that may be resident, pages of mapped files included.
  package var gibibytes: Double?

  package init(timeRatio: Double? = nil, gibibytes: Double? = nil) {
    self.timeRatio = timeRatio
    self.gibibytes = gibibytes
  }

  /// All goals, those of one size together.
  package static let all: [(row: BenchRow, goal: Goal)] = {
    let (small, large) = (Scale.sdxl(512), Scale.sdxl(1024))
    return [
      (BenchRow(.unet(batch: 2), small), Goal(timeRatio: 0.8)),
      (BenchRow(.unet(batch: 2), large), Goal(timeRatio: 0.8, gibibytes: 7.5)),
      (BenchRow(.vaeDecode, large), Goal(timeRatio: 0.45, gibibytes: 3)),
      (BenchRow(.vaeEncode, large), Goal(timeRatio: 0.45, gibibytes: 3)),
      (BenchRow(.textEncoders, large), Goal(timeRatio: 1, gibibytes: 2)),
      (BenchRow(.adapter, large), Goal(timeRatio: 0.6)),
      (
        BenchRow(.trainingStep(batch: 1, .frozen), small),
        Goal(timeRatio: 0.75, gibibytes: 9)
      ),
      (BenchRow(.trainingStep(batch: 1, .reference), small), Goal(timeRatio: 0.55)),
      (BenchRow(.trainingStep(batch: 1, .checkpointing), large), Goal(gibibytes: 11)),
    ]
  }()

  /// The goal of a row; nil where there is none.
  package static func of(_ row: BenchRow) -> Goal? { all.first { $0.row == row }?.goal }

  /// What is missed, or that all is reached; empty if nothing that was measured has a goal.
  package func verdict(timeRatio found: Double?, peakByteCount: Int) -> String {
    var missed: [String] = []
    var isJudged = false
    if let timeRatio, let found {
      isJudged = true
      if found > timeRatio { missed.append("time") }
    }
    if let gibibytes {
      isJudged = true
      if Double(peakByteCount) > gibibytes * 0x1p30 { missed.append("memory") }
    }
    guard isJudged else { return "" }
    return missed.isEmpty ? "reached" : "missed: " + missed.joined(separator: ", ")
  }
}
