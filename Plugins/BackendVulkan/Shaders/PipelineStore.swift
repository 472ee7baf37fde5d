import CVulkanDriver
import EspalierABI
import EspalierPluginKit
import VulkanShaders

/// The pipelines of a device, each made once.
final class PipelineStore {
  /// Bytes of push constants: what every device offers.
  static let pushBytes = 128

  let layout: VkPipelineLayout
  let setLayout: VkDescriptorSetLayout
  private let queue: CommandQueue
  private let environment: String
  private let cache = SPIRVCache()
  private var modules: [ShaderVariant: [UInt32]] = [:]
  private var pipelines: [Key: VkPipeline] = [:]

  private struct Key: Hashable {
    let shader: ShaderVariant
    let constants: [UInt32]
  }

  init(_ queue: CommandQueue, facts: vd_facts) throws(PluginError) {
    self.queue = queue
    environment = "\(ShaderCompiler.identity); \(facts.deviceName); \(facts.driverName)"
    var setLayout: VkDescriptorSetLayout?
    var layout: VkPipelineLayout?
    var result = vd_create_set_layout(queue.device, &setLayout)
    if let setLayout {
      result = vd_create_pipeline_layout(
        queue.device, UInt32(Self.pushBytes), setLayout, &layout)
    }
    guard let layout, let setLayout else {
      if let setLayout { vkDestroyDescriptorSetLayout(queue.device, setLayout, nil) }
      throw driverError(result, "create a pipeline layout")
    }
    self.layout = layout
    self.setLayout = setLayout
  }

  /// The pipeline of a dispatch.
  ///
  /// - Throws: `ESP_INTERNAL` if compiler or driver refuse the shader.
  func pipeline(for dispatch: Dispatch) throws(PluginError) -> VkPipeline {
    let key = Key(shader: dispatch.shader, constants: dispatch.constants)
    if let known = pipelines[key] { return known }
    let words = try module(of: dispatch.shader)
    var pipeline: VkPipeline?
    let result = vd_create_pipeline(
      queue.device, layout, words, words.count, dispatch.constants,
      UInt32(dispatch.constants.count), &pipeline)
    try check(result, "prepare the shader \(dispatch.shader)")
    guard let pipeline else {
      throw driverError(VK_ERROR_UNKNOWN, "prepare the shader \(dispatch.shader)")
    }
    pipelines[key] = pipeline
    return pipeline
  }

  func close() {
    for pipeline in pipelines.values { vkDestroyPipeline(queue.device, pipeline, nil) }
    pipelines = [:]
    vkDestroyPipelineLayout(queue.device, layout, nil)
    vkDestroyDescriptorSetLayout(queue.device, setLayout, nil)
  }

  private func module(of shader: ShaderVariant) throws(PluginError) -> [UInt32] {
    if let known = modules[shader] { return known }
    guard ShaderSource.variants(of: shader.name).contains(shader) else {
      throw PluginError(
        ESP_INTERNAL, "vulkan: \(shader) is not among the variants that its file lists")
    }
    let source = try ShaderSource.text(of: shader)
    let key = SPIRVKey(shader: shader.name, source: source, environment: environment)
    let words: [UInt32]
    if let kept = cache.load(key) {
      words = kept
    } else {
      words = try ShaderCompiler.compile(source, name: "\(shader)")
      cache.store(words, for: key)
    }
    modules[shader] = words
    return words
  }
}
