import CVulkanDriver
import EspalierABI
import EspalierPluginKit

/// A dispatch with its pipeline, ready to be recorded once all addresses are known.
struct PreparedDispatch {
  let node: Int
  let dispatch: Dispatch
  let pipeline: VkPipeline

  /// - Throws: `PluginError` naming the node, if the dispatch breaks a limit of the device or its shader is
  ///   refused.
  init(
    _ dispatch: Dispatch, node: Int, label: String, on device: VulkanDevice
  ) throws(PluginError) {
    func failure(_ reason: String) -> PluginError {
      PluginError(
        ESP_INTERNAL, "vulkan: node \(node) (\(label)), shader \(dispatch.shader): \(reason)",
        node: node)
    }
    let limits = device.limits
    guard dispatch.push.bytes.count <= PipelineStore.pushBytes else {
      throw failure("\(dispatch.push.bytes.count) bytes of push constants")
    }
    guard dispatch.groups.count == 3, dispatch.constants.count >= 3,
      zip(dispatch.groups, limits.maxGroupCount).allSatisfy({ $0 > 0 && Int($0) <= $1 }),
      zip(dispatch.constants, limits.maxGroupSize).allSatisfy({ $0 > 0 && Int($0) <= $1 }),
      dispatch.constants.prefix(3).reduce(1, { $0 * Int($1) }) <= limits.maxInvocations
    else {
      throw failure(
        "\(dispatch.groups) workgroups of \(dispatch.constants.prefix(3)) break the device's limits"
      )
    }
    self.node = node
    self.dispatch = dispatch
    do throws(PluginError) {
      pipeline = try device.pipelines.pipeline(for: dispatch)
    } catch {
      throw PluginError(
        error.code, "\(error.message); node \(node) (\(label))", node: node,
        nativeCode: error.nativeCode)
    }
  }
}
