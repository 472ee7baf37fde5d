/// The values of a metric, in at most `mostBuckets` buckets of steps: where there are more, pairs of buckets
/// become one, so that a run of any length takes the same room and is drawn as fast.
struct Series {
  static let mostBuckets = 1500

  struct Bucket {
    /// Its steps are `index · width ..< (index + 1) · width`.
    var index: Int64
    /// The last step that was recorded.
    var lastStep: Int64
    /// Of the values that are finite.
    var count = 0
    var sum = 0.0
    var low = Double.infinity
    var high = -Double.infinity

    /// Nil if no value is finite.
    var mean: Double? { count > 0 ? sum / Double(count) : nil }

    mutating func merge(_ other: Bucket) {
      lastStep = max(lastStep, other.lastStep)
      count += other.count
      sum += other.sum
      low = min(low, other.low)
      high = max(high, other.high)
    }
  }

  private(set) var buckets: [Bucket] = []
  /// Steps in a bucket, a power of two.
  private(set) var width: Int64 = 1
  private(set) var last = Double.nan

  /// Adds a value; steps never fall.
  mutating func add(step: Int64, _ value: Double) {
    last = value
    var bucket = Bucket(index: step / width, lastStep: step)
    if value.isFinite {
      (bucket.count, bucket.sum, bucket.low, bucket.high) = (1, value, value, value)
    }
    append(bucket)
    while buckets.count > Self.mostBuckets { halve() }
  }

  private mutating func append(_ bucket: Bucket) {
    if let end = buckets.indices.last, buckets[end].index >= bucket.index {
      buckets[end].merge(bucket)
    } else {
      buckets.append(bucket)
    }
  }

  private mutating func halve() {
    let narrow = buckets
    buckets = []
    width *= 2
    for var bucket in narrow {
      bucket.index /= 2
      append(bucket)
    }
  }
}
