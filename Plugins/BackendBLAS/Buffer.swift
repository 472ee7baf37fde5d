import EspalierABI
import Glibc

/// A block of memory: owned, or the host's own, imported without a copy.
// SAFETY: the host serialises calls that touch one buffer's bytes; base and size never change.
final class Buffer: @unchecked Sendable {
  let base: UnsafeMutableRawPointer
  let bytes: UInt64
  private let ledger: MemoryLedger?

  /// Blocks of this size and more are aligned to huge pages and ask for them.
  private static let hugePage = 2 << 20

  /// A new block, counted in `ledger`; its contents are undefined.
  init(bytes: UInt64, ledger: MemoryLedger) throws(BackendError) {
    let held = ledger.bytes.now
    let total = Device.machineMemory.total
    let (sum, overflow) = held.addingReportingOverflow(bytes)
    guard !overflow, total == 0 || sum <= total, let count = Int(exactly: bytes),
      let block = Self.allocate(count)
    else { throw .outOfMemory(requested: bytes, held: held, total: total) }
    base = block
    self.bytes = bytes
    self.ledger = ledger
    ledger.add(bytes)
  }

  /// A view of the host's memory, which outlives the buffer and is only read.
  init(importing memory: UnsafeRawPointer, bytes: UInt64) {
    base = UnsafeMutableRawPointer(mutating: memory)
    self.bytes = bytes
    ledger = nil
  }

  deinit {
    guard let ledger else { return }
    free(base)
    ledger.subtract(bytes)
  }

  /// True if the bytes belong to the host and must not be written.
  var isImported: Bool { ledger == nil }

  func write(
    _ source: UnsafeRawPointer, bytes count: UInt64, at offset: UInt64
  ) throws(BackendError) {
    guard !isImported else { throw .invalid("an imported buffer is read-only") }
    try require(count, at: offset)
    memcpy(base + Int(offset), source, Int(count))
  }

  func read(
    into destination: UnsafeMutableRawPointer, bytes count: UInt64, at offset: UInt64
  ) throws(BackendError) {
    try require(count, at: offset)
    memcpy(destination, base + Int(offset), Int(count))
  }

  /// True if `count` bytes from `offset` lie inside.
  func holds(_ count: UInt64, at offset: UInt64) -> Bool {
    offset <= bytes && count <= bytes - offset
  }

  private func require(_ count: UInt64, at offset: UInt64) throws(BackendError) {
    guard holds(count, at: offset) else {
      throw .invalid("\(count) bytes at \(offset) lie outside a buffer of \(bytes) bytes")
    }
  }

  private static func allocate(_ count: Int) -> UnsafeMutableRawPointer? {
    let isLarge = count >= hugePage
    var block: UnsafeMutableRawPointer?
    let alignment = isLarge ? hugePage : Int(Device.alignment)
    guard posix_memalign(&block, alignment, max(count, 1)) == 0, let block else { return nil }
    if isLarge { madvise(block, count, MADV_HUGEPAGE) }
    return block
  }
}
