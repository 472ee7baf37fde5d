import Foundation

/// Makes the elements 0, 1, 2, … ahead of time on a few threads and hands them out in order.
///
/// At most `depth` elements are finished or under way at a time. An error comes out in the place of its
/// element and ends the sequence. One task at a time may call `next()`.
public final class OrderedPrefetch<Element: Sendable>: Sendable {
  private let queue: PrefetchQueue<Element>

  /// - Parameters:
  ///   - count: How many elements there are.
  ///   - workers: Threads, as `--dataloader_num_workers`; 0 makes each element when it is asked for.
  ///   - depth: How many elements to keep ready; twice the workers by default.
  ///   - make: Makes the element at a place; called on several threads at once.
  public init(
    count: Int, workers: Int = 2, depth: Int? = nil,
    make: @escaping @Sendable (_ place: Int) throws -> Element
  ) {
    precondition(count >= 0 && workers >= 0, "\(count) elements, \(workers) workers")
    let ahead = workers == 0 ? 0 : max(depth ?? 2 * workers, 1)
    let queue = PrefetchQueue(count: count, depth: ahead, make: make)
    self.queue = queue
    for _ in 0..<min(workers, count) {
      let thread = Thread { queue.work() }
      thread.name = "prefetch"
      thread.start()
    }
  }

  deinit { queue.cancel() }

  /// The next element; nil after the last one, after an error and after `cancel()`.
  ///
  /// - Throws: what `make` threw for this element.
  public func next() throws -> Element? { try queue.next() }

  /// Lets the threads finish what they are at and makes nothing more.
  public func cancel() { queue.cancel() }
}
