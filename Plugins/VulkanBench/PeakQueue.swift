import CVulkanDriver
import EspalierPluginKit
import VulkanShaders

/// A device with one queue that runs one kind of shader: its push constants are an address and a count.
final class PeakQueue {
  private let device: VkDevice
  private let queue: VkQueue
  private let timeline: VkSemaphore
  private let setLayout: VkDescriptorSetLayout
  private let layout: VkPipelineLayout
  private let pool: VkCommandPool
  private let result: vd_block
  private var pipelines: [VkPipeline] = []
  private var submitted: UInt64 = 0

  init(_ facts: vd_facts, resultBytes: UInt64) throws(PluginError) {
    var device: VkDevice?
    var timeline: VkSemaphore?
    var setLayout: VkDescriptorSetLayout?
    var layout: VkPipelineLayout?
    var pool: VkCommandPool?
    var queue: VkQueue?
    var block = vd_block()
    try PeakLoop.check(
      withUnsafePointer(to: facts) { vd_create_device($0, &device) }, "open the device")
    guard let device else { throw PeakLoop.failure("open the device") }
    vkGetDeviceQueue(device, facts.queue_family, 0, &queue)
    try PeakLoop.check(vd_create_timeline(device, &timeline), "create a semaphore")
    try PeakLoop.check(vd_create_set_layout(device, &setLayout), "create a layout")
    guard let setLayout else { throw PeakLoop.failure("create a layout") }
    try PeakLoop.check(
      vd_create_pipeline_layout(device, 16, setLayout, &layout), "create a layout")
    try PeakLoop.check(
      vd_create_command_pool(device, facts.queue_family, &pool), "create a command pool")
    try PeakLoop.check(
      vd_create_block(device, resultBytes, Self.memoryType(facts), false, false, &block),
      "allocate memory")
    guard let queue, let timeline, let layout, let pool else {
      throw PeakLoop.failure("set up the device")
    }
    (self.device, self.queue, self.timeline) = (device, queue, timeline)
    (self.setLayout, self.layout, self.pool) = (setLayout, layout, pool)
    result = block
  }

  /// - Throws: `PluginError` if the driver refuses the shader.
  func pipeline(_ words: [UInt32], groupSize: UInt32) throws(PluginError) -> VkPipeline {
    var pipeline: VkPipeline?
    let constants: [UInt32] = [groupSize, 1, 1]
    try PeakLoop.check(
      vd_create_pipeline(
        device, layout, words, words.count, constants, UInt32(constants.count), &pipeline),
      "prepare the shader")
    guard let pipeline else { throw PeakLoop.failure("prepare the shader") }
    pipelines.append(pipeline)
    return pipeline
  }

  /// Runs the shader and waits for it.
  func run(_ pipeline: VkPipeline, groups: UInt32, rounds: UInt32) throws(PluginError) {
    var commands: VkCommandBuffer?
    try PeakLoop.check(vd_begin(device, pool, true, &commands), "record commands")
    guard let buffer = commands else { throw PeakLoop.failure("record commands") }
    defer { vkFreeCommandBuffers(device, pool, 1, &commands) }
    vkCmdBindPipeline(buffer, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline)
    var push = (address: result.address, rounds: UInt64(rounds))
    vkCmdPushConstants(
      buffer, layout, UInt32(VK_SHADER_STAGE_COMPUTE_BIT.rawValue), 0, 16, &push)
    vkCmdDispatch(buffer, groups, 1, 1)
    try PeakLoop.check(vkEndCommandBuffer(buffer), "record commands")
    try PeakLoop.check(vd_submit(queue, buffer, timeline, submitted + 1), "submit work")
    submitted += 1
    try PeakLoop.check(vd_wait(device, timeline, submitted, 60_000_000_000), "wait for the device")
  }

  func close() {
    vkDeviceWaitIdle(device)
    for pipeline in pipelines { vkDestroyPipeline(device, pipeline, nil) }
    withUnsafePointer(to: result) { vd_destroy_block(device, $0) }
    vkDestroyCommandPool(device, pool, nil)
    vkDestroyPipelineLayout(device, layout, nil)
    vkDestroyDescriptorSetLayout(device, setLayout, nil)
    vkDestroySemaphore(device, timeline, nil)
    vkDestroyDevice(device, nil)
  }

  /// The first one of the device's own memory.
  private static func memoryType(_ facts: vd_facts) -> UInt32 {
    let local = UInt32(VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT.rawValue)
    let types = withUnsafeBytes(of: facts.memory.memoryTypes) {
      Array($0.bindMemory(to: VkMemoryType.self).prefix(Int(facts.memory.memoryTypeCount)))
    }
    return UInt32(types.firstIndex { $0.propertyFlags & local != 0 } ?? 0)
  }
}
