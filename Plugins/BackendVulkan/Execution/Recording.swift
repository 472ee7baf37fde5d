import CVulkanDriver
import EspalierABI
import EspalierPluginKit

/// The command buffers of an executable for one set of addresses, submitted as often as wanted.
final class Recording {
  let addresses: AddressMap
  /// In order; each is a submission of its own, so short that no watchdog fires.
  private(set) var commands: [VkCommandBuffer] = []
  private let queue: CommandQueue
  private let pool: VkCommandPool
  private let sets: TexelSets
  /// Times of every node, if asked for.
  let timestamps: TimestampPool?

  /// Floating-point operations, or bytes, of one submission: well below a second on any GPU.
  private static let workPerSubmission = 1e11
  /// On a CPU, so that a stop is heeded soon.
  private static let workPerSoftwareSubmission = 2e9

  /// - Parameter isTimed: Runs node after node and takes the time of each.
  init(
    _ dispatches: [PreparedDispatch], addresses: AddressMap, on device: VulkanDevice, isTimed: Bool
  ) throws(PluginError) {
    self.addresses = addresses
    queue = device.queue
    sets = TexelSets(device.queue, layout: device.pipelines.setLayout)
    timestamps = isTimed ? try TimestampPool(dispatches, on: device) : nil
    var pool: VkCommandPool?
    try check(
      vd_create_command_pool(queue.device, queue.family, &pool), "create a command pool")
    guard let pool else { throw driverError(VK_ERROR_UNKNOWN, "create a command pool") }
    self.pool = pool
    try record(dispatches, on: device)
  }

  deinit {
    timestamps?.destroy()
    sets.destroy()
    vkDestroyCommandPool(queue.device, pool, nil)
  }

  private func record(
    _ dispatches: [PreparedDispatch], on device: VulkanDevice
  ) throws(PluginError) {
    let limit = device.limits.isSoftware ? Self.workPerSoftwareSubmission : Self.workPerSubmission
    var hazards = HazardTracker()
    var current: VkCommandBuffer?
    var work = 0.0
    var bound: VkPipeline?
    for (index, prepared) in dispatches.enumerated() {
      let dispatch = prepared.dispatch
      if current == nil || work + dispatch.work > limit {
        try finish(current)
        let next = try begin()
        current = next
        timestamps?.begin(index, in: next)
        (work, bound) = (0, nil)
        hazards.reset()
      }
      guard let commands = current else { continue }
      work += dispatch.work
      let reading = dispatch.push.reads.map { addresses.range(of: $0, node: prepared.node) }
      let writing = dispatch.push.writes.map { addresses.range(of: $0, node: prepared.node) }
      let isNextNode = index > 0 && dispatches[index - 1].node != prepared.node
      if hazards.needsBarrier(reading: reading, writing: writing)
        || (timestamps != nil && isNextNode)
      {
        vd_barrier(commands)
      }
      if bound != prepared.pipeline {
        vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, prepared.pipeline)
        bound = prepared.pipeline
      }
      timestamps?.nodeBegins(index, in: commands)
      push(prepared, into: commands, layout: device.pipelines.layout)
      try bindTexels(prepared, into: commands, layout: device.pipelines.layout)
      vkCmdDispatch(commands, dispatch.groups[0], dispatch.groups[1], dispatch.groups[2])
      timestamps?.nodeEnds(index, in: commands)
    }
    try finish(current)
  }

  private func begin() throws(PluginError) -> VkCommandBuffer {
    var commands: VkCommandBuffer?
    try check(vd_begin(queue.device, pool, false, &commands), "record commands")
    guard let commands else { throw driverError(VK_ERROR_UNKNOWN, "record commands") }
    vd_barrier(commands)
    return commands
  }

  private func finish(_ buffer: VkCommandBuffer?) throws(PluginError) {
    guard let buffer else { return }
    vd_barrier(buffer)
    try check(vkEndCommandBuffer(buffer), "record commands")
    commands.append(buffer)
  }

  /// Binds the texel buffers that a dispatch reads through.
  private func bindTexels(
    _ prepared: PreparedDispatch, into commands: VkCommandBuffer, layout: VkPipelineLayout
  ) throws(PluginError) {
    let fetches = prepared.dispatch.push.fetches
    guard !fetches.isEmpty else { return }
    let views = fetches.compactMap { addresses.spot(of: $0, node: prepared.node).texels }
    guard views.count == fetches.count else {
      throw PluginError(
        ESP_INTERNAL, "vulkan: \(prepared.dispatch.shader) reads texels, the device has none",
        node: prepared.node)
    }
    var set: VkDescriptorSet? = try sets.set(of: views)
    vkCmdBindDescriptorSets(
      commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1, &set, 0, nil)
  }

  /// Fills the push constants with addresses and values.
  private func push(
    _ prepared: PreparedDispatch, into commands: VkCommandBuffer, layout: VkPipelineLayout
  ) {
    var bytes = prepared.dispatch.push.bytes
    guard !bytes.isEmpty else { return }
    bytes.withUnsafeMutableBytes { bytes in
      for patch in prepared.dispatch.push.patches {
        let spot = addresses.spot(of: patch.region, node: prepared.node)
        switch patch.content {
        case .address:
          bytes.storeBytes(
            of: spot.address.littleEndian, toByteOffset: patch.byteOffset, as: UInt64.self)
        case .texel:
          bytes.storeBytes(
            of: UInt32(truncatingIfNeeded: spot.blockOffset / 16).littleEndian,
            toByteOffset: patch.byteOffset, as: UInt32.self)
        }
      }
      guard let base = bytes.baseAddress else { return }
      vkCmdPushConstants(
        commands, layout, UInt32(VK_SHADER_STAGE_COMPUTE_BIT.rawValue), 0, UInt32(bytes.count),
        base)
    }
  }
}
