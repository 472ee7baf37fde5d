import Foundation

/// What the threads of an `OrderedPrefetch` share.
// SAFETY: every stored variable is read and written only while `condition` is locked; `make` is Sendable.
final class PrefetchQueue<Element: Sendable>: @unchecked Sendable {
  private let count: Int
  private let depth: Int
  private let make: @Sendable (Int) throws -> Element
  private let condition = NSCondition()
  /// The place that `next()` hands out next.
  private var consumed = 0
  /// The place that a thread takes next.
  private var started = 0
  private var finished: [Int: Result<Element, any Error>] = [:]
  private var isCancelled = false

  init(count: Int, depth: Int, make: @escaping @Sendable (Int) throws -> Element) {
    self.count = count
    self.depth = depth
    self.make = make
  }

  /// A thread's whole life.
  func work() {
    while let place = claim() {
      let result = Result { try make(place) }
      condition.withLock {
        finished[place] = result
        condition.broadcast()
      }
    }
  }

  /// Waits for room; nil when there is nothing left to do.
  private func claim() -> Int? {
    condition.withLock {
      while !isCancelled && started < count && started >= consumed + depth { condition.wait() }
      guard !isCancelled && started < count else { return nil }
      started += 1
      return started - 1
    }
  }

  func next() throws -> Element? {
    let result: Result<Element, any Error>? = condition.withLock {
      guard !isCancelled && consumed < count else { return nil }
      if depth == 0 {
        consumed += 1
        return Result { try make(consumed - 1) }
      }
      while !isCancelled && finished[consumed] == nil { condition.wait() }
      guard let result = finished.removeValue(forKey: consumed) else { return nil }
      consumed += 1
      condition.broadcast()
      return result
    }
    if case .failure = result { cancel() }
    return try result?.get()
  }

  func cancel() {
    condition.withLock {
      isCancelled = true
      finished = [:]
      condition.broadcast()
    }
  }
}
