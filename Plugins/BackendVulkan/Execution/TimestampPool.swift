import CVulkanDriver
import EspalierABI
import EspalierPluginKit

/// Two timestamps per node: before its first dispatch and after its last.
final class TimestampPool {
  private let device: VulkanDevice
  private let pool: VkQueryPool
  /// The nodes with dispatches, in order.
  private let nodes: [Int]
  /// By dispatch: index into `nodes`.
  private let slots: [Int]
  private let isFirst: [Bool]
  private let isLast: [Bool]

  /// - Throws: `ESP_UNIMPLEMENTED` if the device takes no timestamps.
  init(_ dispatches: [PreparedDispatch], on device: VulkanDevice) throws(PluginError) {
    guard device.facts.timestamp_bits > 0, device.facts.timestamp_period > 0 else {
      throw .unimplemented(
        "vulkan: \(device.facts.deviceName) takes no timestamps; run without a profile")
    }
    var nodes: [Int] = []
    var slots: [Int] = []
    for dispatch in dispatches {
      if nodes.last != dispatch.node { nodes.append(dispatch.node) }
      slots.append(nodes.count - 1)
    }
    isFirst = slots.indices.map { $0 == 0 || slots[$0 - 1] != slots[$0] }
    isLast = slots.indices.map { $0 + 1 == slots.count || slots[$0 + 1] != slots[$0] }
    self.nodes = nodes
    self.slots = slots
    self.device = device
    var pool: VkQueryPool?
    try check(
      vd_create_queries(device.queue.device, UInt32(max(2 * nodes.count, 1)), &pool),
      "create timestamps")
    guard let pool else { throw driverError(VK_ERROR_UNKNOWN, "create timestamps") }
    self.pool = pool
  }

  func destroy() { vkDestroyQueryPool(device.queue.device, pool, nil) }

  /// Clears all queries before the first dispatch is recorded.
  func begin(_ dispatch: Int, in commands: VkCommandBuffer) {
    if dispatch == 0 { vkCmdResetQueryPool(commands, pool, 0, UInt32(2 * nodes.count)) }
  }

  func nodeBegins(_ dispatch: Int, in commands: VkCommandBuffer) {
    guard isFirst[dispatch] else { return }
    write(VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT, 2 * slots[dispatch], commands)
  }

  func nodeEnds(_ dispatch: Int, in commands: VkCommandBuffer) {
    guard isLast[dispatch] else { return }
    write(VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, 2 * slots[dispatch] + 1, commands)
  }

  /// Reports the nodes' times when the device is done.
  func report(to timer: NodeTimer) throws(PluginError) {
    guard !nodes.isEmpty else { return }
    var ticks = [UInt64](repeating: 0, count: 2 * nodes.count)
    let flags = UInt32(VK_QUERY_RESULT_64_BIT.rawValue | VK_QUERY_RESULT_WAIT_BIT.rawValue)
    let result = vkGetQueryPoolResults(
      device.queue.device, pool, 0, UInt32(ticks.count), 8 * ticks.count, &ticks, 8, flags)
    try check(result, "read timestamps")
    let bits = device.facts.timestamp_bits
    let mask = bits >= 64 ? UInt64.max : (1 << UInt64(bits)) - 1
    func nanoseconds(_ index: Int) -> UInt64 {
      UInt64(Double(ticks[index] & mask) * Double(device.facts.timestamp_period))
    }
    for (index, node) in nodes.enumerated() {
      let begin = nanoseconds(2 * index)
      timer.record(node: node, begin: begin, end: max(begin, nanoseconds(2 * index + 1)))
    }
  }

  private func write(
    _ stage: VkPipelineStageFlagBits, _ query: Int, _ commands: VkCommandBuffer
  ) {
    vkCmdWriteTimestamp(commands, stage, pool, UInt32(query))
  }
}
