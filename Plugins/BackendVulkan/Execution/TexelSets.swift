import CVulkanDriver
import EspalierPluginKit

/// Descriptor sets of a recording: one for each combination of texel buffers that its dispatches read.
final class TexelSets {
  private static let setsPerPool = 64

  private let queue: CommandQueue
  private let layout: VkDescriptorSetLayout
  private var pools: [VkDescriptorPool] = []
  private var sets: [[VkBufferView]: VkDescriptorSet] = [:]

  init(_ queue: CommandQueue, layout: VkDescriptorSetLayout) {
    self.queue = queue
    self.layout = layout
  }

  /// The set whose first slots are these views.
  func set(of views: [VkBufferView]) throws(PluginError) -> VkDescriptorSet {
    if let known = sets[views] { return known }
    if sets.count % Self.setsPerPool == 0 {
      var pool: VkDescriptorPool?
      try check(
        vd_create_descriptor_pool(queue.device, UInt32(Self.setsPerPool), &pool),
        "create a descriptor pool")
      if let pool { pools.append(pool) }
    }
    guard let pool = pools.last, let first = views.first else {
      throw driverError(VK_ERROR_UNKNOWN, "create a descriptor set")
    }
    // Every slot must hold a view; a shader reads only those that it has regions for.
    let missing = max(0, Int(VD_TEXEL_SLOTS) - views.count)
    let all = views + [VkBufferView](repeating: first, count: missing)
    var set: VkDescriptorSet?
    try check(vd_create_set(queue.device, pool, layout, all, &set), "create a descriptor set")
    guard let set else { throw driverError(VK_ERROR_UNKNOWN, "create a descriptor set") }
    sets[views] = set
    return set
  }

  func destroy() {
    for pool in pools { vkDestroyDescriptorPool(queue.device, pool, nil) }
    pools = []
  }
}
