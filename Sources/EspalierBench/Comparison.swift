/// What this program needs for a piece of work, and what PyTorch needs.
package struct Comparison: Codable {
  package let work: Work
  package let scale: Scale
  package let title: String
  /// True for this program without a pass that it normally runs.
  package let isBaseline: Bool
  package let ours: Measurement
  package let pytorch: Measurement?
  /// Why PyTorch has no number.
  package let refusal: String?
  /// Between the results of both.
  package let difference: ResultDifference?

  package init(
    row: BenchRow, title: String, isBaseline: Bool, ours: Measurement, pytorch: Measurement?,
    refusal: String?, difference: ResultDifference?
  ) {
    (work, scale) = (row.work, row.scale)
    self.title = title
    self.isBaseline = isBaseline
    self.ours = ours
    self.pytorch = pytorch
    self.refusal = refusal
    self.difference = difference
  }

  package var row: BenchRow { BenchRow(work, scale) }

  /// Our median over PyTorch's; below 1 this program is faster.
  package var timeRatio: Double? { pytorch.map { ours.median / $0.median } }
  /// Our median processor time over PyTorch's.
  package var cpuRatio: Double? { pytorch.map { ours.cpuMedian / $0.cpuMedian } }
  /// Our peak over PyTorch's.
  package var memoryRatio: Double? {
    pytorch.map { Double(ours.peakMemoryBytes) / Double($0.peakMemoryBytes) }
  }
}
