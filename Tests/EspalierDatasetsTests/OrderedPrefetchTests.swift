import EspalierDatasets
import Foundation
import Synchronization
import Testing

@Suite("OrderedPrefetch") struct OrderedPrefetchTests {
  private struct Fault: Error, Equatable { let place: Int }

  private func all<T>(_ prefetch: OrderedPrefetch<T>) throws -> [T] {
    var result: [T] = []
    while let element = try prefetch.next() { result.append(element) }
    return result
  }

  @Test(arguments: [0, 1, 2, 5])
  func `hands elements out in order however long each takes`(workers: Int) throws {
    let prefetch = OrderedPrefetch(count: 40, workers: workers) { place in
      Thread.sleep(forTimeInterval: place % 3 == 0 ? 0.002 : 0)
      return place * place
    }
    #expect(try all(prefetch) == (0..<40).map { $0 * $0 })
    #expect(try prefetch.next() == nil)
  }

  @Test(arguments: [0, 2])
  func `an error comes in its element's place and ends the sequence`(workers: Int) throws {
    let prefetch = OrderedPrefetch(count: 10, workers: workers) { place in
      if place == 3 { throw Fault(place: 3) }
      return place
    }
    #expect(try (0..<3).map { _ in try prefetch.next() } == [0, 1, 2])
    #expect(throws: Fault(place: 3)) { try prefetch.next() }
    #expect(try prefetch.next() == nil)
  }

  @Test func `never works further ahead than its depth`() throws {
    let started = Mutex(0)
    let prefetch = OrderedPrefetch(count: 100, workers: 3, depth: 4) { place in
      started.withLock { $0 = max($0, place + 1) }
      return place
    }
    for taken in 1...20 {
      _ = try prefetch.next()
      Thread.sleep(forTimeInterval: 0.001)
      #expect(started.withLock { $0 } <= taken + 4)
    }
  }

  @Test func `nothing comes out after it is cancelled`() throws {
    let prefetch = OrderedPrefetch(count: 5, workers: 1) { $0 }
    #expect(try prefetch.next() == 0)
    prefetch.cancel()
    #expect(try prefetch.next() == nil)
  }

  @Test func `no elements make an empty sequence`() throws {
    #expect(try all(OrderedPrefetch(count: 0) { $0 }).isEmpty)
  }
}
