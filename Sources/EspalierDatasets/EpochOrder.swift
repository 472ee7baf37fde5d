import EspalierTensors

/// The order in which one epoch visits the samples: a permutation that depends on the seed and the epoch
/// alone, the same on every device.
public struct EpochOrder: Sendable, Equatable {
  /// Position in the epoch to sample.
  public let indices: [Int]

  /// - Precondition: `count` and `epoch` are not negative.
  public init(count: Int, seed: UInt64, epoch: Int) {
    precondition(count >= 0 && epoch >= 0, "\(count) samples, epoch \(epoch)")
    indices = CounterRandom(seed: seed, purpose: .shuffle, step: UInt64(epoch)).permutation(count)
  }
}

/// All epochs' orders one after another: which sample comes at which place of a whole training run.
///
/// A pure function of the seed and the place, so that a resumed run continues with the very next sample;
/// the order of the epoch asked for last is kept.
public struct SampleOrder: Sendable {
  public let count: Int
  public let seed: UInt64
  private var kept: (epoch: Int, order: EpochOrder)?

  /// - Precondition: `count` is positive.
  public init(count: Int, seed: UInt64) {
    precondition(count > 0, "no samples to order")
    self.count = count
    self.seed = seed
  }

  /// The epoch in which the place lies, from 0.
  public func epoch(at place: Int) -> Int { place / count }

  /// The sample at a place; places count all samples since the run began, over all epochs.
  ///
  /// - Precondition: `place` is not negative.
  public mutating func sample(at place: Int) -> Int {
    precondition(place >= 0, "place \(place)")
    let epoch = epoch(at: place)
    if let kept, kept.epoch == epoch { return kept.order.indices[place % count] }
    let order = EpochOrder(count: count, seed: seed, epoch: epoch)
    kept = (epoch, order)
    return order.indices[place % count]
  }
}
