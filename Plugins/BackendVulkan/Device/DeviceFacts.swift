import CVulkanDriver
import EspalierABI
import EspalierPluginKit

extension vd_facts {
  /// Of a tensor inside a buffer, in bytes: enough for any vector load, and a cache line.
  static let alignment: UInt64 = 256

  var deviceName: String { text(name) }
  var driverName: String { text(driver) }

  /// Why this plugin cannot use the device, or nil.
  var objection: String? {
    if api_version < (1 << 22 | 2 << 12) { return "it offers \(apiText), Vulkan 1.2 is needed" }
    if queue_family == .max { return "it has no compute queue" }
    if !has_buffer_address { return "it lacks bufferDeviceAddress" }
    if !has_timeline_semaphore { return "it lacks timeline semaphores" }
    if max_invocations < 128 { return "its workgroups hold \(max_invocations) invocations at most" }
    return nil
  }

  /// A CPU behind the Vulkan interface.
  var isSoftware: Bool { type == VK_PHYSICAL_DEVICE_TYPE_CPU }

  var limits: DeviceLimits {
    DeviceLimits(
      maxInvocations: Int(max_invocations),
      maxGroupSize: [max_group_size.0, max_group_size.1, max_group_size.2].map(Int.init),
      maxGroupCount: [max_group_count.0, max_group_count.1, max_group_count.2].map(Int.init),
      sharedMemoryBytes: Int(shared_memory_bytes), pushConstantBytes: Int(push_constant_bytes),
      subgroupSize: Int(subgroup_size), hasSubgroupOperations: has_subgroup_operations,
      hasFloat16Storage: has_16bit_storage && has_float16, hasFloat16Arithmetic: has_float16,
      hasCooperativeMatrix: has_cooperative_matrix, hasTexelFetch: hasTexelFetch,
      isSoftware: isSoftware, compilesSlowly: specialises_late)
  }

  /// One buffer, and one tensor.
  var maxBufferBytes: UInt64 {
    let bytes = min(max_allocation_bytes, max_buffer_bytes, totalMemory)
    return hasTexelFetch ? min(bytes, texelBytes) : bytes
  }

  /// True if each block of memory gets a texel buffer view; a GPU reads addresses just as fast.
  var hasTexelFetch: Bool { isSoftware && texelBytes >= 1 << 28 }

  /// What one texel buffer of 16-byte texels spans.
  private var texelBytes: UInt64 { 16 * UInt64(max_texels) }

  /// Bytes of the heap that tensors live in.
  var totalMemory: UInt64 { heap(at: MemoryTypes(self).deviceHeap).size }

  /// Bytes of it that may still be taken; 0 unknown.
  func freeMemory(held: UInt64) -> UInt64 {
    let heap = UInt32(MemoryTypes(self).deviceHeap)
    let told = withUnsafePointer(to: self) { vd_heap_free($0, heap) }
    if told > 0 { return told }
    return totalMemory > held ? totalMemory - held : 1
  }

  var description: BackendDeviceDescription {
    let floats: UInt32 = 1 << UInt32(ESP_DTYPE_F32)
    let halves: UInt32 = 1 << UInt32(ESP_DTYPE_F16)
    return BackendDeviceDescription(
      deviceClass: deviceClass, name: deviceName, details: details, memoryBytes: totalMemory,
      freeMemoryBytes: freeMemory(held: 0), maxBufferBytes: maxBufferBytes,
      alignment: Self.alignment,
      activationDTypes: limits.hasFloat16Storage ? floats | halves : floats,
      weightDTypes: floats | halves | 1 << UInt32(ESP_DTYPE_BF16))
  }

  private var deviceClass: Int32 {
    switch type {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
      ESP_DEVICE_DISCRETE_GPU
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU: ESP_DEVICE_INTEGRATED_GPU
    default: ESP_DEVICE_SOFTWARE_GPU
    }
  }

  private var apiText: String { "Vulkan \(api_version >> 22 & 0x7f).\(api_version >> 12 & 0x3ff)" }

  private var details: String {
    let parts = [
      driverName, apiText, "subgroup \(subgroup_size)",
      limits.hasFloat16Storage ? "f16 storage" : "no f16 storage",
      has_float16 ? "f16 arithmetic" : "no f16 arithmetic",
      has_bfloat16 ? "bf16 arithmetic" : "no bf16 arithmetic",
      has_cooperative_matrix ? "cooperative matrices" : "no cooperative matrices",
      "workgroups of \(max_invocations)", "\(ByteCount(UInt64(shared_memory_bytes))) shared",
    ]
    return parts.joined(separator: ", ")
  }

  func heap(at index: Int) -> VkMemoryHeap {
    withUnsafeBytes(of: memory.memoryHeaps) { $0.bindMemory(to: VkMemoryHeap.self)[index] }
  }

  private func text<T>(_ characters: T) -> String {
    withUnsafeBytes(of: characters) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }
}
