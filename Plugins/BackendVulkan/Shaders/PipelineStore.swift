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
  /// True if the driver must see constants in the code of unrolled shaders.
  private let writesConstants: Bool
  private var modules: [Key: [UInt32]] = [:]
  private var pipelines: [Key: VkPipeline] = [:]

  private struct Key: Hashable {
    let shader: ShaderVariant
    let constants: [UInt32]
  }

  init(_ queue: CommandQueue, facts: vd_facts) throws(PluginError) {
    self.queue = queue
    writesConstants = facts.specialises_late
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
    let words = try module(of: key)
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

  private func module(of wanted: Key) throws(PluginError) -> [UInt32] {
    let shader = wanted.shader
    let isFixed = writesConstants && ShaderSource.isUnrolled(shader.name)
    let module = Key(shader: shader, constants: isFixed ? wanted.constants : [])
    if let known = modules[module] { return known }
    guard ShaderSource.variants(of: shader.name).contains(shader) else {
      throw PluginError(
        ESP_INTERNAL, "vulkan: \(shader) is not among the variants that its file lists")
    }
    let source =
      isFixed
      ? try ShaderSource.text(of: shader, constants: wanted.constants)
      : try ShaderSource.text(of: shader)
    let key = SPIRVKey(shader: shader.name, source: source, environment: environment)
    let words: [UInt32]
    if let kept = cache.load(key) {
      words = kept
    } else {
      words = try ShaderCompiler.compile(source, name: "\(shader)")
      cache.store(words, for: key)
    }
    modules[module] = words
    return words
  }
}
