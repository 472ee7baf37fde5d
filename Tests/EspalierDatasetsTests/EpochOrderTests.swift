import EspalierDatasets
import Testing

@Suite("EpochOrder") struct EpochOrderTests {
  @Test(arguments: [0, 1, 2, 7, 100])
  func `visits every sample once`(count: Int) {
    #expect(EpochOrder(count: count, seed: 3, epoch: 5).indices.sorted() == Array(0..<count))
  }

  @Test func `depends on seed and epoch alone`() {
    let order = EpochOrder(count: 50, seed: 1, epoch: 2)
    #expect(order == EpochOrder(count: 50, seed: 1, epoch: 2))
    #expect(order != EpochOrder(count: 50, seed: 1, epoch: 3))
    #expect(order != EpochOrder(count: 50, seed: 2, epoch: 2))
    #expect(order.indices != Array(0..<50))
  }

  @Test func `a run that is resumed anywhere sees the samples it would have seen`() {
    var whole = SampleOrder(count: 7, seed: 9)
    let all = (0..<30).map { whole.sample(at: $0) }
    #expect(Array(all[7..<14]) == EpochOrder(count: 7, seed: 9, epoch: 1).indices)
    for start in [0, 6, 7, 20, 29] {
      var resumed = SampleOrder(count: 7, seed: 9)
      #expect((start..<30).map { resumed.sample(at: $0) } == Array(all[start...]))
    }
    #expect(whole.epoch(at: 6) == 0 && whole.epoch(at: 7) == 1)
    #expect(whole.sample(at: 3) == all[3])
  }
}
