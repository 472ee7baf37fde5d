import EspalierBench
import Testing

@Suite("Goals of a benchmark") struct GoalTests {
  private let both = Goal(timeRatio: 0.8, gibibytes: 7.5)

  @Test func `a goal is reached at its limit`() {
    #expect(both.verdict(timeRatio: 0.8, peakByteCount: 15 << 29) == "reached")
  }

  @Test func `what is missed is named`() {
    #expect(both.verdict(timeRatio: 0.81, peakByteCount: 1) == "missed: time")
    #expect(both.verdict(timeRatio: 0.1, peakByteCount: 8 << 30) == "missed: memory")
    #expect(both.verdict(timeRatio: 0.9, peakByteCount: 8 << 30) == "missed: time, memory")
  }

  @Test func `without PyTorch only memory is judged`() {
    #expect(both.verdict(timeRatio: nil, peakByteCount: 1) == "reached")
    #expect(both.verdict(timeRatio: nil, peakByteCount: 8 << 30) == "missed: memory")
    #expect(Goal(timeRatio: 0.6).verdict(timeRatio: nil, peakByteCount: 8 << 30) == "")
  }

  @Test func `goals belong to one size`() {
    #expect(Goal.of(BenchRow(.vaeDecode, .sdxl(1024))) != nil)
    #expect(Goal.of(BenchRow(.vaeDecode, .sdxl(512))) == nil)
    #expect(Goal.of(BenchRow(.trainingStep(batch: 8, .frozen), .mini)) == nil)
  }

  @Test func `the reference script's step is compared with our usual one`() {
    let work = Work.trainingStep(batch: 1, .reference)
    #expect(work.ours == .trainingStep(batch: 1, .frozen) && Work.vaeDecode.ours == .vaeDecode)
  }
}
