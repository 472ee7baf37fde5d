import EspalierABI
import EspalierPluginKit
import Glibc

/// A block of memory: owned, or the host's own, imported without a copy.
final class Buffer: BackendBuffer {
  /// Of a tensor inside a buffer, in bytes: a cache line, and the widest vector register.
  static let alignment: UInt64 = 64

  let base: UnsafeMutableRawPointer
  let byteCount: UInt64
  private let ledger: MemoryLedger?

  /// Blocks of this size and more are aligned to huge pages and ask for them.
  private static let hugePage = 2 << 20

  /// A new block, counted in `ledger`; its contents are undefined.
  init(byteCount: UInt64, ledger: MemoryLedger) throws(PluginError) {
    let held = ledger.bytes.now
    let total = Machine.memoryBytes
    let (sum, overflow) = held.addingReportingOverflow(byteCount)
    guard !overflow, total == 0 || sum <= total, let count = Int(exactly: byteCount),
      let block = Self.allocate(count)
    else {
      throw PluginError(
        ESP_OUT_OF_MEMORY,
        "out of memory: \(byteCount >> 20) MiB requested, \(held >> 20) MiB held, "
          + "the machine has \(total >> 20) MiB")
    }
    base = block
    self.byteCount = byteCount
    self.ledger = ledger
    ledger.add(byteCount)
  }

  /// A view of the host's memory, which outlives the buffer and is only read.
  init(importing memory: UnsafeRawBufferPointer) throws(PluginError) {
    guard let start = memory.baseAddress else { throw .invalidArgument("no memory to import") }
    base = UnsafeMutableRawPointer(mutating: start)
    byteCount = UInt64(memory.count)
    ledger = nil
  }

  deinit {
    guard let ledger else { return }
    free(base)
    ledger.subtract(byteCount)
  }

  var isReadOnly: Bool { ledger == nil }

  func write(_ source: UnsafeRawBufferPointer, at offset: UInt64) throws(PluginError) {
    UnsafeMutableRawBufferPointer(start: base + Int(offset), count: source.count)
      .copyMemory(from: source)
  }

  func read(
    into destination: UnsafeMutableRawBufferPointer, at offset: UInt64
  ) throws(PluginError) {
    destination.copyMemory(
      from: UnsafeRawBufferPointer(start: base + Int(offset), count: destination.count))
  }

  private static func allocate(_ count: Int) -> UnsafeMutableRawPointer? {
    let isLarge = count >= hugePage
    var block: UnsafeMutableRawPointer?
    guard posix_memalign(&block, isLarge ? hugePage : Int(alignment), count) == 0, let block else {
      return nil
    }
    if isLarge { madvise(block, count, MADV_HUGEPAGE) }
    return block
  }
}

extension Place {
  /// Where it is in the machine's memory.
  var address: UnsafeMutableRawPointer? {
    (buffer as? Buffer).map { $0.base + Int(offset) }
  }
}
