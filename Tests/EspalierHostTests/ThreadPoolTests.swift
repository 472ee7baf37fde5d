import CEspalierRuntime
import EspalierABI
import EspalierHost
import Foundation
import Synchronization
import Testing

/// Runs `body` over the pool; the loop's caller waits, so the closure outlives it.
private func parallel(
  _ count: Int, grain: Int = 1, _ body: @escaping @Sendable (Range<Int>, Int) -> Void
) {
  final class Box {
    let body: @Sendable (Range<Int>, Int) -> Void
    init(_ body: @escaping @Sendable (Range<Int>, Int) -> Void) { self.body = body }
  }
  let box = Box(body)
  withExtendedLifetime(box) {
    espalier_pool_for(
      Int64(count), Int64(grain),
      { argument, begin, end, worker in
        guard let argument else { return }
        let box = Unmanaged<Box>.fromOpaque(argument).takeUnretainedValue()
        box.body(Int(begin)..<Int(end), Int(worker))
      }, Unmanaged.passUnretained(box).toOpaque())
  }
}

/// Expects a loop to visit every index once, with workers below the number of threads.
private func expectVisitsAll(_ count: Int, grain: Int, threads: Int) {
  let visits = Mutex([Int](repeating: 0, count: count))
  let workers = Mutex(Set<Int>())
  parallel(count, grain: grain) { range, worker in
    visits.withLock { visits in for index in range { visits[index] += 1 } }
    _ = workers.withLock { $0.insert(worker) }
  }
  #expect(visits.withLock { $0.allSatisfy { $0 == 1 } }, "\(count), \(grain), \(threads)")
  #expect(workers.withLock { $0.allSatisfy { (0..<threads).contains($0) } })
}

/// The slices of a loop as the header of the pool defines them.
private func slices(_ count: Int, grain: Int, threads: Int) -> [Range<Int>] {
  let number = Int(espalier_pool_slices(Int64(count), Int64(grain), UInt32(threads)))
  var slices: [Range<Int>] = []
  for slice in 0..<number {
    let begin = slices.last?.upperBound ?? 0
    slices.append(begin..<begin + count / number + (slice < count % number ? 1 : 0))
  }
  return slices
}

/// All in child processes: the number of threads and the stop flag belong to the whole process, and other
/// tests run in this one.
@Suite("ThreadPool") struct ThreadPoolTests {
  @Test func `every index is visited exactly once`() async {
    await #expect(processExitsWith: .success) {
      for threads in [1, 2, 3, 8] {
        let started = try ThreadPool.start(threads: threads)
        #expect(started == threads)
        for count in [1, 2, 7, 64, 1000, 4097] {
          for grain in [1, 3, 1000] { expectVisitsAll(count, grain: grain, threads: threads) }
        }
      }
    }
  }

  @Test func `no index is no call`() async {
    await #expect(processExitsWith: .success) {
      for count in [0, -5] { parallel(count) { _, _ in Issue.record("called") } }
    }
  }

  @Test func `slices depend on count, grain and threads only`() async {
    await #expect(processExitsWith: .success) {
      try ThreadPool.start(threads: 4)
      for (count, grain) in [(1000, 1), (1000, 100), (17, 5), (5, 100)] {
        let expected = slices(count, grain: grain, threads: 4)
        #expect(expected.allSatisfy { $0.count >= min(grain, count) })
        for _ in 0..<20 {
          let seen = Mutex([Range<Int>]())
          parallel(count, grain: grain) { range, _ in seen.withLock { $0.append(range) } }
          #expect(seen.withLock { $0.sorted { $0.lowerBound < $1.lowerBound } } == expected)
        }
      }
    }
  }

  @Test func `a loop inside a body runs as one slice under the same worker`() async {
    await #expect(processExitsWith: .success) {
      try ThreadPool.start(threads: 3)
      let total = Mutex(0)
      parallel(12) { outer, worker in
        for _ in outer {
          parallel(50) { inner, nested in
            #expect(inner == 0..<50)
            #expect(nested == worker)
            total.withLock { $0 += inner.count }
          }
        }
      }
      #expect(total.withLock { $0 } == 600)
    }
  }

  @Test func `several threads may call at once and no two bodies share a worker`() async {
    await #expect(processExitsWith: .success) {
      try ThreadPool.start(threads: 3)
      let state = Mutex((busy: Set<Int>(), clashes: 0, total: 0))
      DispatchQueue.concurrentPerform(iterations: 4) { _ in
        for _ in 0..<300 {
          parallel(24) { range, worker in
            state.withLock { state in
              if !state.busy.insert(worker).inserted { state.clashes += 1 }
              state.total += range.count
            }
            _ = state.withLock { $0.busy.remove(worker) }
          }
        }
      }
      #expect(state.withLock { $0.clashes } == 0)
      #expect(state.withLock { $0.total } == 4 * 300 * 24)
    }
  }

  @Test func `many loops one after another lose nothing`() async {
    await #expect(processExitsWith: .success) {
      for threads in [2, 5] {
        try ThreadPool.start(threads: threads)
        let total = Mutex(0)
        for loop in 0..<20_000 {
          if loop % 1000 == 0 { usleep(500) }  // workers asleep, not only spinning
          parallel(9) { range, _ in
            let sum = range.reduce(0, +)
            total.withLock { $0 += sum }
          }
        }
        #expect(total.withLock { $0 } == 20_000 * 36)
      }
    }
  }

  @Test func `all threads take part in long loops`() async {
    await #expect(processExitsWith: .success) {
      try ThreadPool.start(threads: 4)
      let workers = Mutex(Set<Int>())
      parallel(16) { _, worker in
        _ = workers.withLock { $0.insert(worker) }
        usleep(20_000)
      }
      #expect(workers.withLock { $0 } == [0, 1, 2, 3])
    }
  }

  @Test func `the number of threads comes from the option, then from the environment`() async {
    await #expect(processExitsWith: .success) {
      let fromOption = try ThreadPool.start(threads: 2, environment: { _ in "3" })
      #expect(fromOption == 2)
      let fromEnvironment = try ThreadPool.start(environment: { _ in "3" })
      #expect(fromEnvironment == 3)
      #expect(ThreadPool.threadCount == 3)
      let automatic = try ThreadPool.start(environment: { _ in nil })
      #expect(automatic == Int(espalier_available_cores()))
    }
  }

  @Test(arguments: ["0", "-1", "1025", "two", "2.5"])
  func `a number of threads that makes no sense is refused`(text: String) {
    #expect(throws: PluginError.threadCount(text: text, source: "ESPALIER_NUM_THREADS")) {
      try ThreadPool.start(environment: { _ in text })
    }
    if let threads = Int(text) {
      #expect(throws: PluginError.threadCount(text: text, source: "--threads")) {
        try ThreadPool.start(threads: threads)
      }
    }
  }
}

@Suite("HostServices") struct HostServicesTests {
  @Test func `plugins reach the pool through the host's table`() async {
    await #expect(processExitsWith: .success) {
      try ThreadPool.start(threads: 2)
      let host = HostServices.table.pointee
      #expect(host.worker_count(host.context) == 2)
      let values = UnsafeMutablePointer<Int64>.allocate(capacity: 100)
      defer { values.deallocate() }
      values.initialize(repeating: 0, count: 100)
      host.parallel_for(
        host.context, 100, 7,
        { argument, begin, end, _ in
          let values = argument?.assumingMemoryBound(to: Int64.self)
          for index in begin..<end { values?[Int(index)] += index }
        }, values)
      #expect((0..<100).allSatisfy { values[$0] == Int64($0) })
    }
  }

  @Test func `the table carries its size and version`() {
    #expect(HostServices.table.pointee.abi_major == ESP_ABI_MAJOR)
    #expect(HostServices.table.pointee.abi_minor == ESP_ABI_MINOR)
    #expect(Int(HostServices.table.pointee.struct_size) == MemoryLayout<esp_host>.size)
  }

  @Test func `the stop flag reaches plugins`() async {
    await #expect(processExitsWith: .success) {
      let host = HostServices.table.pointee
      #expect(host.cancelled(host.context) == 0)
      HostServices.setCancelled(true)
      #expect(host.cancelled(host.context) != 0)
      #expect(HostServices.isCancelled)
      HostServices.setCancelled(false)
      #expect(host.cancelled(host.context) == 0)
    }
  }

  @Test func `settings reach plugins and old texts stay valid`() {
    let host = HostServices.table.pointee
    #expect(host.config(host.context, "test_absent") == nil)
    HostServices.setSetting("test_cache", to: "/one")
    let first = host.config(host.context, "test_cache")
    HostServices.setSetting("test_cache", to: "/two")
    let second = host.config(host.context, "test_cache")
    #expect(first.map { String(cString: $0) } == "/one")
    #expect(second.map { String(cString: $0) } == "/two")
  }
}
