import CVulkanDriver
import EspalierPluginKit
import Glibc

/// Memory of the device, as the host holds it.
// SAFETY: the piece never changes; the queue's lock guards what happens to it.
final class VulkanBuffer: BackendBuffer, @unchecked Sendable {
  let byteCount: UInt64
  var isReadOnly: Bool { false }
  private let device: VulkanDevice
  private let piece: MemoryPiece

  init(_ device: VulkanDevice, byteCount: UInt64) throws(PluginError) {
    self.device = device
    self.byteCount = byteCount
    piece = try device.allocator.allocate(byteCount)
  }

  deinit {
    device.queue.lock.locked {
      device.queue.settle()
      device.allocator.free(piece)
    }
  }

  /// Where shaders find the byte at `offset`.
  func spot(at offset: UInt64) -> Spot {
    Spot(
      address: piece.address + offset, texels: piece.block.raw.texels,
      blockOffset: piece.range.lowerBound + offset, block: piece.block.number)
  }

  func write(_ source: UnsafeRawBufferPointer, at offset: UInt64) throws(PluginError) {
    try device.queue.lock.locked { () throws(PluginError) in
      guard let mapped = piece.mapped, let start = source.baseAddress else {
        return try device.stagingRing().write(source, to: piece, at: offset)
      }
      try device.queue.waitForAll()
      memcpy(mapped + Int(offset), start, source.count)
    }
  }

  func read(
    into destination: UnsafeMutableRawBufferPointer, at offset: UInt64
  ) throws(PluginError) {
    try device.queue.lock.locked { () throws(PluginError) in
      if let mapped = piece.mapped, let start = destination.baseAddress {
        try device.queue.waitForAll()
        memcpy(start, mapped + Int(offset), destination.count)
      } else {
        try device.stagingRing().read(piece, at: offset, into: destination)
      }
      try Validation.check()
    }
  }
}
