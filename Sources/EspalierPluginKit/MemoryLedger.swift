import Synchronization

/// The bytes that a device holds, shared by its buffers and executables; usable from any thread.
public final class MemoryLedger: Sendable {
  private let state = Mutex((now: UInt64(0), peak: UInt64(0)))

  public init() {}

  public var bytes: (now: UInt64, peak: UInt64) { state.withLock { $0 } }

  public func add(_ count: UInt64) {
    state.withLock {
      $0.now &+= count
      $0.peak = max($0.peak, $0.now)
    }
  }

  public func subtract(_ count: UInt64) {
    state.withLock { $0.now &-= count }
  }
}
