import CVulkanDriver

/// Which of a device's memory types tensors and transfers use.
struct MemoryTypes {
  /// For tensors: the device's own memory.
  let device: UInt32
  /// True if tensors can be written and read through a mapping at full speed, so that no staging is needed.
  let isDeviceMapped: Bool
  /// For transfers: the host's memory, visible to the device.
  let staging: UInt32
  /// The heap that tensors come from.
  let deviceHeap: Int

  private static let local = UInt32(VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT.rawValue)
  private static let shared =
    UInt32(VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT.rawValue)
    | UInt32(VK_MEMORY_PROPERTY_HOST_COHERENT_BIT.rawValue)
  private static let cached = UInt32(VK_MEMORY_PROPERTY_HOST_CACHED_BIT.rawValue)

  init(_ facts: vd_facts) {
    let types = withUnsafeBytes(of: facts.memory.memoryTypes) {
      Array($0.bindMemory(to: VkMemoryType.self).prefix(Int(facts.memory.memoryTypeCount)))
    }
    func first(_ wanted: UInt32, without unwanted: UInt32 = 0) -> Int? {
      types.indices.first {
        types[$0].propertyFlags & wanted == wanted && types[$0].propertyFlags & unwanted == 0
      }
    }
    let unified =
      facts.type == VK_PHYSICAL_DEVICE_TYPE_CPU
      || facts.type == VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU
    let mapped = unified ? first(Self.local | Self.shared | Self.cached) : nil
    let chosen = mapped ?? first(Self.local, without: Self.shared) ?? first(Self.local) ?? 0
    device = UInt32(chosen)
    isDeviceMapped = mapped != nil
    staging = UInt32(first(Self.shared | Self.cached) ?? first(Self.shared) ?? 0)
    deviceHeap = types.indices.contains(chosen) ? Int(types[chosen].heapIndex) : 0
  }
}
