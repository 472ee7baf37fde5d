import EspalierBench
import Testing

@Suite("Repetitions of a benchmark") struct RepetitionPlanTests {
  /// Repeats work that takes so many seconds until the plan is done.
  private func repetitions(
    of seconds: Double, plan: RepetitionPlan
  ) -> (all: Int, counted: Int) {
    var (plan, count) = (plan, 0)
    while !plan.isDone && count < 1000 {
      plan.add(RepetitionPlan.Timing(elapsed: seconds * 1e3, processor: 0))
      count += 1
    }
    return (count, plan.timings.count)
  }

  @Test func `short work is warmed up three times and repeated as often as allowed`() {
    #expect(repetitions(of: 0.01, plan: RepetitionPlan(seconds: 10, most: 20)) == (23, 20))
  }

  @Test func `work of some seconds is warmed up once and repeated until the time is over`() {
    #expect(repetitions(of: 3, plan: RepetitionPlan(seconds: 10, most: 20)) == (5, 4))
  }

  @Test func `work that needs all the time is repeated once more`() {
    #expect(repetitions(of: 9, plan: RepetitionPlan(seconds: 10, most: 20)) == (3, 2))
    #expect(repetitions(of: 60, plan: RepetitionPlan(seconds: 10, most: 20)) == (2, 2))
  }

  @Test func `a single repetition of long work is a single run`() {
    #expect(repetitions(of: 60, plan: RepetitionPlan(seconds: 10, most: 1)) == (1, 1))
    #expect(repetitions(of: 3, plan: RepetitionPlan(seconds: 10, most: 1)) == (2, 1))
  }

  @Test func `warm-ups are not among the timings`() {
    var plan = RepetitionPlan(seconds: 10, most: 2)
    for elapsed in [5000.0, 1000, 2000] {
      plan.add(RepetitionPlan.Timing(elapsed: elapsed, processor: 0))
    }
    #expect(plan.isDone && plan.timings.map(\.elapsed) == [1000, 2000])
  }
}
