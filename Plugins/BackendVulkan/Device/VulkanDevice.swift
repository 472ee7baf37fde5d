import CVulkanDriver
import EspalierABI
import EspalierPluginKit

/// An open Vulkan device.
// SAFETY: what changes is guarded by the queue's lock, which every entry from outside takes.
final class VulkanDevice: BackendDevice, @unchecked Sendable {
  /// The host that opened the device.
  let host: HostServices?
  let facts: vd_facts
  let limits: DeviceLimits
  let queue: CommandQueue
  let allocator: MemoryAllocator
  let pipelines: PipelineStore
  private let types: MemoryTypes
  private var staging: StagingRing?
  /// Executables that hold commands of the device; they outlive it if the host destroys them late.
  private var executables: [ObjectIdentifier: WeakExecutable] = [:]
  private var isClosed = false

  private struct WeakExecutable {
    weak var executable: VulkanExecutable?
  }

  init(_ facts: vd_facts, options: VulkanOptions) throws(PluginError) {
    host = HostServices.current
    self.facts = facts
    limits = options.usesGPUKernels ? facts.limits.asGPU : facts.limits
    types = MemoryTypes(facts)
    let queue = try CommandQueue(facts)
    self.queue = queue
    allocator = MemoryAllocator(
      queue, facts: facts, types: types, isMapped: types.isDeviceMapped && !options.alwaysStages)
    do throws(PluginError) {
      pipelines = try PipelineStore(queue, facts: facts)
    } catch {
      queue.close()
      throw error
    }
  }

  func makeBuffer(
    byteCount: UInt64, usage: BufferUsage
  ) throws(PluginError) -> any BackendBuffer {
    try queue.lock.locked { () throws(PluginError) in
      try queue.throwIfLost()
      return try VulkanBuffer(self, byteCount: byteCount)
    }
  }

  func analyze(_ graph: BackendGraph) throws(PluginError) -> [NodeAnalysis] {
    graph.nodes.map { NodeLowering($0, of: graph).analysis(on: limits) }
  }

  func compile(
    _ graph: BackendGraph, _ plan: BackendPlan
  ) throws(PluginError) -> any BackendExecutable {
    try queue.lock.locked { () throws(PluginError) in
      try queue.throwIfLost()
      let executable = try VulkanExecutable(self, graph, plan)
      executables[ObjectIdentifier(executable)] = WeakExecutable(executable: executable)
      try Validation.check()
      return executable
    }
  }

  func wait() throws(PluginError) {
    try queue.lock.locked { () throws(PluginError) in
      try queue.waitForAll()
      try Validation.check()
    }
  }

  var memory: (now: UInt64, peak: UInt64) { allocator.bytes }

  /// The way to memory that the host does not see; made at its first use.
  func stagingRing() throws(PluginError) -> StagingRing {
    if let staging { return staging }
    let ring = try StagingRing(queue, memoryType: types.staging)
    staging = ring
    return ring
  }

  /// Forgets an executable that goes away.
  func dismiss(_ executable: VulkanExecutable) {
    executables.removeValue(forKey: ObjectIdentifier(executable))
  }

  func close() {
    queue.lock.locked {
      guard !isClosed else { return }
      isClosed = true
      queue.settle()
      for entry in executables.values { entry.executable?.releaseCommands() }
      executables = [:]
      staging?.close()
      pipelines.close()
      allocator.close()
      queue.close()
    }
  }
}
