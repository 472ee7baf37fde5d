/// Finds where a barrier is needed: between a dispatch and an earlier one that touches the same bytes, one
/// of them writing.
struct HazardTracker {
  private var reads: [Range<UInt64>] = []
  private var writes: [Range<UInt64>] = []

  /// Notes a dispatch.
  ///
  /// - Returns: True if a barrier must come before it.
  mutating func needsBarrier(reading: [Range<UInt64>], writing: [Range<UInt64>]) -> Bool {
    let isOrdered =
      overlap(reading, writes) || overlap(writing, writes) || overlap(writing, reads)
    if isOrdered { reset() }
    reads += reading
    writes += writing
    return isOrdered
  }

  /// Forgets everything: a barrier stands here.
  mutating func reset() {
    reads.removeAll(keepingCapacity: true)
    writes.removeAll(keepingCapacity: true)
  }

  private func overlap(_ some: [Range<UInt64>], _ others: [Range<UInt64>]) -> Bool {
    some.contains { range in others.contains { $0.overlaps(range) } }
  }
}
