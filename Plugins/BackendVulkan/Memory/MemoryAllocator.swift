import CVulkanDriver
import EspalierABI
import EspalierPluginKit

/// A piece of a block.
struct MemoryPiece {
  let block: MemoryBlock
  let range: Range<UInt64>

  var address: UInt64 { block.raw.address + range.lowerBound }
  /// Where the host sees it, or nil.
  var mapped: UnsafeMutableRawPointer? { block.raw.mapped.map { $0 + Int(range.lowerBound) } }
}

/// Hands out device memory: small pieces from shared blocks, large ones from blocks of their own, as drivers
/// allow a few thousand allocations only.
final class MemoryAllocator {
  /// Pieces of this size and more have their own block.
  private static let largePiece: UInt64 = 8 << 20
  private static let sharedBlock: UInt64 = 32 << 20

  private let queue: CommandQueue
  private let facts: vd_facts
  private let types: MemoryTypes
  private let isMapped: Bool
  private var shared: [MemoryBlock] = []
  private var large: [ObjectIdentifier: MemoryBlock] = [:]
  private var blockCount = 0
  /// What all blocks take.
  private let ledger = MemoryLedger()

  /// - Parameter isMapped: True if the host writes and reads tensors through a mapping.
  init(_ queue: CommandQueue, facts: vd_facts, types: MemoryTypes, isMapped: Bool) {
    self.queue = queue
    self.facts = facts
    self.types = types
    self.isMapped = isMapped
  }

  /// Bytes held now, and at most.
  var bytes: (now: UInt64, peak: UInt64) { ledger.bytes }

  /// New memory, aligned for every tensor.
  ///
  /// - Throws: `ESP_OUT_OF_MEMORY` with what was asked, held and free.
  func allocate(_ bytes: UInt64) throws(PluginError) -> MemoryPiece {
    let limit = facts.maxBufferBytes
    guard bytes <= limit else {
      throw PluginError(
        ESP_OUT_OF_MEMORY,
        "vulkan: \(ByteCount(bytes)) in one buffer; \(facts.deviceName) allows \(ByteCount(limit)); "
          + "lower the batch size or the resolution")
    }
    let size = (max(bytes, 1) + vd_facts.alignment - 1) & ~(vd_facts.alignment - 1)
    if size >= Self.largePiece {
      let block = try newBlock(size)
      large[ObjectIdentifier(block)] = block
      guard let start = block.take(size) else { throw outOfMemory(bytes, code: 0) }
      return MemoryPiece(block: block, range: start..<start + size)
    }
    for block in shared {
      if let start = block.take(size) {
        return MemoryPiece(block: block, range: start..<start + size)
      }
    }
    let block = try newBlock(min(Self.sharedBlock, limit))
    shared.append(block)
    guard let start = block.take(size) else { throw outOfMemory(bytes, code: 0) }
    return MemoryPiece(block: block, range: start..<start + size)
  }

  /// Takes a piece back; the device must be done with it.
  func free(_ piece: MemoryPiece) {
    if large.removeValue(forKey: ObjectIdentifier(piece.block)) != nil {
      release(piece.block)
    } else if let index = shared.firstIndex(where: { $0 === piece.block }) {
      piece.block.give(piece.range)
      guard piece.block.isEmpty, shared.count > 1 else { return }
      release(shared.remove(at: index))
    }
  }

  /// Frees everything; pieces that come back later are ignored.
  func close() {
    for block in shared + Array(large.values) { release(block) }
    shared = []
    large = [:]
  }

  private func newBlock(_ bytes: UInt64) throws(PluginError) -> MemoryBlock {
    do {
      let block = try MemoryBlock(
        queue, byteCount: bytes, memoryType: types.device, mapped: isMapped,
        texels: facts.hasTexelFetch, number: blockCount + 1)
      blockCount += 1
      ledger.add(bytes)
      return block
    } catch {
      throw error.code == ESP_OUT_OF_MEMORY ? outOfMemory(bytes, code: error.nativeCode) : error
    }
  }

  private func release(_ block: MemoryBlock) {
    block.destroy(queue)
    ledger.subtract(block.byteCount)
  }

  private func outOfMemory(_ wanted: UInt64, code: Int32) -> PluginError {
    let held = bytes.now
    return PluginError(
      ESP_OUT_OF_MEMORY,
      "vulkan: out of memory on \(facts.deviceName): \(ByteCount(wanted)) more were needed, "
        + "\(ByteCount(held)) are held, \(ByteCount(facts.freeMemory(held: held))) of "
        + "\(ByteCount(facts.totalMemory)) are free; lower the batch size or the resolution",
      nativeCode: code)
  }
}
