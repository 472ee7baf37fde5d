import CVulkanDriver
import EspalierPluginKit
import Glibc

/// Moves bytes between the host and memory that it cannot see, through a few slots in turn, so that the
/// host fills one while the device empties the others.
final class StagingRing {
  private static let slotBytes = 4 << 20
  private static let slotCount = 4

  private let queue: CommandQueue
  private let block: MemoryBlock
  private let base: UnsafeMutableRawPointer
  private var slots: [Slot] = []
  private var next = 0

  private struct Slot {
    let offset: UInt64
    let pool: VkCommandPool
    var commands: VkCommandBuffer?
    /// What the timeline reaches when the slot is free again.
    var busyUntil: UInt64 = 0
  }

  init(_ queue: CommandQueue, memoryType: UInt32) throws(PluginError) {
    self.queue = queue
    block = try MemoryBlock(
      queue, byteCount: UInt64(Self.slotBytes * Self.slotCount), memoryType: memoryType,
      mapped: true)
    guard let mapped = block.raw.mapped else {
      block.destroy(queue)
      throw driverError(VK_ERROR_MEMORY_MAP_FAILED, "map memory for transfers")
    }
    base = mapped
    for index in 0..<Self.slotCount {
      var pool: VkCommandPool?
      let result = vd_create_command_pool(queue.device, queue.family, &pool)
      guard result == VK_SUCCESS, let pool else {
        close()
        throw driverError(result, "create a command pool")
      }
      slots.append(Slot(offset: UInt64(index * Self.slotBytes), pool: pool))
    }
  }

  /// Copies to device memory; the source may change when this returns.
  func write(_ source: UnsafeRawBufferPointer, to piece: MemoryPiece, at offset: UInt64)
    throws(PluginError)
  {
    guard let start = source.baseAddress, let target = piece.block.raw.buffer,
      let staging = block.raw.buffer
    else { return }
    var done = 0
    while done < source.count {
      let count = min(Self.slotBytes, source.count - done)
      let slot = try takeSlot()
      memcpy(base + Int(slots[slot].offset), start + done, count)
      let place = piece.range.lowerBound + offset + UInt64(done)
      try submit(slot) {
        vd_copy($0, staging, slots[slot].offset, target, place, UInt64(count))
      }
      done += count
    }
  }

  /// Copies from device memory, after all work submitted so far.
  func read(
    _ piece: MemoryPiece, at offset: UInt64, into target: UnsafeMutableRawBufferPointer
  ) throws(PluginError) {
    guard let start = target.baseAddress, let source = piece.block.raw.buffer,
      let staging = block.raw.buffer
    else { return }
    var pending: [(slot: Int, done: Int, count: Int)] = []
    func finishFirst() throws(PluginError) {
      let first = pending.removeFirst()
      try queue.wait(for: slots[first.slot].busyUntil)
      memcpy(start + first.done, base + Int(slots[first.slot].offset), first.count)
    }
    var done = 0
    while done < target.count {
      if pending.count == Self.slotCount { try finishFirst() }
      let count = min(Self.slotBytes, target.count - done)
      let slot = try takeSlot()
      let place = piece.range.lowerBound + offset + UInt64(done)
      try submit(slot) {
        vd_copy($0, source, place, staging, slots[slot].offset, UInt64(count))
      }
      pending.append((slot, done, count))
      done += count
    }
    while !pending.isEmpty { try finishFirst() }
  }

  func close() {
    for slot in slots { vkDestroyCommandPool(queue.device, slot.pool, nil) }
    slots = []
    block.destroy(queue)
  }

  /// The next slot, when the device has left it.
  private func takeSlot() throws(PluginError) -> Int {
    let slot = next
    next = (next + 1) % slots.count
    try queue.wait(for: slots[slot].busyUntil)
    return slot
  }

  private func submit(_ slot: Int, _ record: (VkCommandBuffer) -> Void) throws(PluginError) {
    let pool = slots[slot].pool
    if slots[slot].commands != nil {
      vkFreeCommandBuffers(queue.device, pool, 1, &slots[slot].commands)
      slots[slot].commands = nil
    }
    try check(vkResetCommandPool(queue.device, pool, 0), "reset a command pool")
    var commands: VkCommandBuffer?
    try check(vd_begin(queue.device, pool, true, &commands), "record a copy")
    guard let commands else { throw driverError(VK_ERROR_UNKNOWN, "record a copy") }
    slots[slot].commands = commands
    vd_barrier(commands)
    record(commands)
    vd_barrier(commands)
    try check(vkEndCommandBuffer(commands), "record a copy")
    slots[slot].busyUntil = try queue.submit(commands)
  }
}
