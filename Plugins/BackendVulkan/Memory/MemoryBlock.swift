import CVulkanDriver
import EspalierPluginKit

/// One allocation of the driver, cut into pieces.
final class MemoryBlock {
  let raw: vd_block
  let byteCount: UInt64
  /// Its number on this device; never used again.
  let number: Int
  /// Free ranges in rising order, never adjacent.
  private var gaps: [Range<UInt64>]

  /// - Parameter memoryType: The index of a Vulkan memory type.
  init(
    _ queue: CommandQueue, byteCount: UInt64, memoryType: UInt32, mapped: Bool,
    texels: Bool = false, number: Int = 0
  ) throws(PluginError) {
    var raw = vd_block()
    try check(
      vd_create_block(queue.device, byteCount, memoryType, mapped, texels, &raw),
      "allocate \(ByteCount(byteCount))")
    self.raw = raw
    self.byteCount = byteCount
    self.number = number
    gaps = [0..<byteCount]
  }

  var isEmpty: Bool { gaps == [0..<byteCount] }

  /// The offset of a free range of this size, taken; nil if there is none.
  func take(_ bytes: UInt64) -> UInt64? {
    guard
      let index = gaps.indices.filter({ gaps[$0].upperBound - gaps[$0].lowerBound >= bytes })
        .min(by: { gaps[$0].count < gaps[$1].count })
    else { return nil }
    let start = gaps[index].lowerBound
    if gaps[index].upperBound - start == bytes {
      gaps.remove(at: index)
    } else {
      gaps[index] = start + bytes..<gaps[index].upperBound
    }
    return start
  }

  /// Gives a range back.
  func give(_ range: Range<UInt64>) {
    let index = gaps.firstIndex { $0.lowerBound >= range.upperBound } ?? gaps.count
    gaps.insert(range, at: index)
    if index + 1 < gaps.count, gaps[index].upperBound == gaps[index + 1].lowerBound {
      gaps[index] = gaps[index].lowerBound..<gaps.remove(at: index + 1).upperBound
    }
    if index > 0, gaps[index - 1].upperBound == gaps[index].lowerBound {
      gaps[index - 1] = gaps[index - 1].lowerBound..<gaps.remove(at: index).upperBound
    }
  }

  func destroy(_ queue: CommandQueue) {
    withUnsafePointer(to: raw) { vd_destroy_block(queue.device, $0) }
  }
}
