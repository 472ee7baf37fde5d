/// A copy of a frozen weight in the form in which a backend computes with it, which it offers to keep between runs.
public struct WeightCopy: Sendable {
  /// Copies with the same key are the same, in whichever program of the same weights they are used.
  struct Key: Hashable, Comparable, Sendable {
    /// The weight's path.
    let path: String
    /// The backend's number for how it is laid out.
    let form: UInt32
    let byteCount: Int

    static func < (a: Self, b: Self) -> Bool {
      (a.path, a.form, a.byteCount) < (b.path, b.form, b.byteCount)
    }
  }

  let key: Key
  /// By the backend's estimate: what one run of the program saves with it, and what making it takes.
  let savedNanoseconds, makingNanoseconds: Double

  public var byteCount: Int { key.byteCount }
  /// Of the weight.
  public var path: String { key.path }

  package init(path: String, form: UInt32, byteCount: Int, saves: Double, takes: Double) {
    key = Key(path: path, form: form, byteCount: byteCount)
    (savedNanoseconds, makingNanoseconds) = (saves, takes)
  }
}

/// The copies of weights that are kept, of all that a backend offers.
public struct KeptCopies: Sendable, Equatable {
  private let keys: Set<WeightCopy.Key>
  /// What they save of all runs, less the making of each: an estimate.
  public let savedNanoseconds: Double

  /// None.
  public init() { (keys, savedNanoseconds) = ([], 0) }

  /// Those that save more time than making them takes, by time for each byte, as long as they fit.
  ///
  /// The same offers and the same limit give the same choice. A program that runs once keeps none.
  ///
  /// - Parameters:
  ///   - offers: Those of programs that use the same weights, with the number of their runs.
  ///   - limit: Bytes of all copies together.
  public init(of offers: [(copies: [WeightCopy], runs: Int)], within limit: Int) {
    var gains: [WeightCopy.Key: (saved: Double, making: Double)] = [:]
    for (copies, runs) in offers where runs > 1 {
      for copy in copies {
        let known = gains[copy.key] ?? (0, 0)
        gains[copy.key] = (
          known.saved + copy.savedNanoseconds * Double(runs),
          max(known.making, copy.makingNanoseconds)
        )
      }
    }
    func value(_ copy: (key: WeightCopy.Key, gain: Double)) -> Double {
      copy.gain / Double(max(copy.key.byteCount, 1))
    }
    let paying = gains.map { (key: $0.key, gain: $0.value.saved - $0.value.making) }
      .filter { $0.gain > 0 }
      .sorted { value($0) != value($1) ? value($0) > value($1) : $0.key < $1.key }
    var (left, saved) = (limit, 0.0)
    var chosen: Set<WeightCopy.Key> = []
    for (key, gain) in paying where key.byteCount <= left {
      chosen.insert(key)
      left -= key.byteCount
      saved += gain
    }
    (keys, savedNanoseconds) = (chosen, saved)
  }

  /// Bytes of all.
  public var byteCount: Int { keys.reduce(0) { $0 + $1.byteCount } }

  package func contains(_ copy: WeightCopy) -> Bool { keys.contains(copy.key) }
}
