import EspalierHost
import Testing

@Suite("Copies of weights") struct WeightCacheTests {
  private func copy(
    _ path: String, _ bytes: Int, saves: Double, takes: Double = 0, form: UInt32 = 1
  ) -> WeightCopy {
    WeightCopy(path: path, form: form, byteCount: bytes, saves: saves, takes: takes)
  }

  /// The paths that are kept of some offers.
  private func kept(_ offers: [WeightCopy], runs: Int = 2, within limit: Int) -> [String] {
    let kept = KeptCopies(of: [(offers, runs)], within: limit)
    return offers.filter { kept.contains($0) }.map(\.path)
  }

  @Test func `what saves the most for its size comes first`() {
    let offers = [
      copy("a", 100, saves: 100), copy("b", 10, saves: 50), copy("c", 20, saves: 60),
      copy("d", 5, saves: 1),
    ]
    #expect(kept(offers, within: 9) == ["d"])
    #expect(kept(offers, within: 10) == ["b"])
    #expect(kept(offers, within: 30) == ["b", "c"])
    // The next best does not fit, the one after it does.
    #expect(kept(offers, within: 129) == ["b", "c", "d"])
    #expect(kept(offers, within: 130) == ["a", "b", "c"])
    #expect(kept(offers, within: 135) == ["a", "b", "c", "d"])
    #expect(kept(offers, within: 0).isEmpty)
  }

  @Test(arguments: 0...60)
  func `a limit is kept`(limit: Int) {
    let offers = (1...12).map { copy("\($0)", $0 * 7 % 13 + 1, saves: Double($0 * 5 % 11 + 1)) }
    #expect(KeptCopies(of: [(offers, 3)], within: limit).byteCount <= limit)
  }

  @Test func `a copy has to save more than making it takes`() {
    let offers = [copy("a", 10, saves: 4, takes: 10)]
    #expect(kept(offers, runs: 2, within: 100).isEmpty)
    #expect(kept(offers, runs: 3, within: 100) == ["a"])
    #expect(kept([copy("a", 10, saves: 1e9)], runs: 1, within: 100).isEmpty)
  }

  @Test func `what is saved in all is less what making takes, and only of what is kept`() {
    let offers = [copy("a", 10, saves: 40, takes: 10), copy("b", 10, saves: 20, takes: 5)]
    func saved(_ work: [([WeightCopy], Int)], _ limit: Int) -> Double {
      KeptCopies(of: work.map { (copies: $0.0, runs: $0.1) }, within: limit).savedNanoseconds
    }
    #expect(saved([(offers, 3)], 20) == 3 * 60 - 15)
    #expect(saved([(offers, 3)], 10) == 3 * 40 - 10)
    #expect(saved([(offers, 3), (offers, 2)], 10) == 5 * 40 - 10)
    #expect(saved([(offers, 1)], 20) == 0 && KeptCopies().savedNanoseconds == 0)
  }

  @Test func `programs share what is the same, and add up what it saves`() {
    let (a, other) = (
      copy("a", 10, saves: 4, takes: 10), copy("a", 10, saves: 4, takes: 10, form: 2)
    )
    let alone = KeptCopies(of: [([a], 2)], within: 100)
    #expect(alone.byteCount == 0)
    let both = KeptCopies(of: [([a], 2), ([a], 2)], within: 100)
    #expect(both.byteCount == 10 && both.contains(a) && !both.contains(other))
    // Twice in one program, as where a block is computed again in the backward pass.
    #expect(KeptCopies(of: [([a, a], 2)], within: 100).byteCount == 10)
  }

  @Test func `equal offers are chosen in the same order, however they come`() {
    let offers = ["c", "a", "b"].map { copy($0, 10, saves: 5) }
    #expect(kept(offers, within: 20) == ["a", "b"])
    #expect(kept(offers.reversed(), within: 20) == ["b", "a"])
  }

  @Test func `half of what the run leaves free is for copies, or as much as was said`() {
    var (small, large) = (MemoryNeed(), MemoryNeed())
    (small.activations, large.mappedWeights) = (100, 600)
    func limit(_ cache: WeightCache, _ available: Int?, isHost: Bool = true) -> Int {
      cache.limit(available: available, isHost: isHost, beside: [small, large])
    }
    #expect(limit(.auto, 1000) == 200)
    // On a device of its own, files take no room.
    #expect(limit(.auto, 1000, isHost: false) == 450)
    #expect(limit(.auto, 500) == 0 && limit(.auto, nil) == 0)
    #expect(limit(.bytes(700), 500) == 700 && limit(.none, 1000) == 0)
  }

  @Test(arguments: [
    ("none", WeightCache.none), ("auto", .auto), ("4GiB", .bytes(4 << 30)),
    ("1.5mb", .bytes(1_500_000)), ("77", .bytes(77)),
  ])
  func `a size is none, auto or bytes`(text: String, cache: WeightCache) {
    #expect(WeightCache(text) == cache)
  }

  @Test(arguments: ["", "0", "-1", "some", "AUTO ", "4 potatoes", "nan", "1e30GiB"])
  func `anything else is no size`(text: String) { #expect(WeightCache(text) == nil) }
}
