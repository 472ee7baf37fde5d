import CVulkanDriver
import EspalierABI
import EspalierPluginKit
import VulkanShaders

/// The shader `peak`: what the device does at best in multiply-adds, on a Vulkan device of its own.
final class PeakLoop {
  /// The device's number among all that Vulkan lists.
  let physicalIndex: Int
  private let instance: VkInstance
  private let queue: PeakQueue
  private let groupSize: UInt32
  private let groups: UInt32
  private var pipeline: VkPipeline?
  /// Independent chains of multiply-adds in each invocation.
  private var chains = 0
  /// Rounds of the loop that take a second.
  private var roundsPerSecond = 1.0

  /// - Parameters:
  ///   - named: The name that the backend gave the device.
  ///   - ordinal: How many devices of the same name come before it.
  /// - Throws: `PluginError`.
  init(named name: String, ordinal: Int, isSoftware: Bool) throws {
    var created: VkInstance?
    try Self.check(vd_create_instance(nil, &created), "start Vulkan")
    guard let instance = created else { throw Self.failure("start Vulkan") }
    self.instance = instance
    let (index, facts) = try Self.device(named: name, ordinal: ordinal, of: instance)
    physicalIndex = index
    groupSize = min(isSoftware ? 64 : 256, facts.max_invocations, facts.max_group_size.0)
    groups = isSoftware ? 64 : 4096
    queue = try PeakQueue(facts, resultBytes: 4 * UInt64(groupSize) * UInt64(groups))
    try chooseChains(isSoftware: isSoftware)
  }

  deinit {
    queue.close()
    vkDestroyInstance(instance, nil)
  }

  /// Runs for about this long.
  ///
  /// - Returns: How fast it was.
  /// - Throws: `PluginError`.
  func measure(seconds: Double) throws -> Speed {
    guard let pipeline else { throw Self.failure("run the peak loop") }
    let rounds = UInt32(clamping: max(1, Int(seconds * roundsPerSecond)))
    return try measure(pipeline, chains: chains, rounds: rounds)
  }

  /// What the loop is, for people.
  var description: String { "f32, \(chains) independent chains in each invocation" }

  /// Takes the fastest of the variants, and learns how long a round takes.
  private func chooseChains(isSoftware: Bool) throws {
    var best = 0.0
    for candidate in [8, 16, 32] {
      let words = try ShaderCompiler.compile(
        ShaderSource.text(of: ShaderVariant("peak", ["CHAINS": candidate])), name: "peak")
      let made = try queue.pipeline(words, groupSize: groupSize)
      var rounds = 1.0
      var seconds = 0.0
      while seconds < (isSoftware ? 0.1 : 0.02) {
        rounds *= seconds < 0.005 ? 4 : 2
        seconds = try measure(made, chains: candidate, rounds: UInt32(rounds)).seconds
        if rounds > 1e8 { break }
      }
      let speed = try measure(made, chains: candidate, rounds: UInt32(rounds))
      let value = isSoftware ? speed.perCPUSecond : speed.perSecond
      guard value > best else { continue }
      (best, pipeline, chains) = (value, made, candidate)
      roundsPerSecond = rounds / min(seconds, speed.seconds)
    }
  }

  private func measure(_ pipeline: VkPipeline, chains: Int, rounds: UInt32) throws -> Speed {
    let start = Stopwatch()
    try queue.run(pipeline, groups: groups, rounds: rounds)
    // Six steps a round, as in the shader.
    let operations =
      2 * 6 * Double(chains) * Double(rounds) * Double(groupSize) * Double(groups)
    return start.speed(operations)
  }

  private static func device(
    named name: String, ordinal: Int, of instance: VkInstance
  ) throws -> (Int, vd_facts) {
    var count: UInt32 = 0
    try check(vkEnumeratePhysicalDevices(instance, &count, nil), "list the devices")
    var handles = [VkPhysicalDevice?](repeating: nil, count: Int(count))
    try check(vkEnumeratePhysicalDevices(instance, &count, &handles), "list the devices")
    var matching: [(Int, vd_facts)] = []
    for case (let index, .some(let handle)) in handles.enumerated() {
      var facts = vd_facts()
      vd_query(instance, handle, &facts)
      let found = withUnsafeBytes(of: facts.name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if found.hasPrefix(name) { matching.append((index, facts)) }
    }
    guard matching.indices.contains(ordinal) else { throw failure("find the device \(name)") }
    return matching[ordinal]
  }

  static func check(_ result: VkResult, _ what: String) throws(PluginError) {
    guard result != VK_SUCCESS else { return }
    throw PluginError(
      ESP_INTERNAL, "peak loop: cannot \(what) (VkResult \(result.rawValue))",
      nativeCode: result.rawValue)
  }

  static func failure(_ what: String) -> PluginError {
    PluginError(ESP_INTERNAL, "peak loop: cannot \(what)")
  }
}
