import CVulkanDriver
import EspalierABI
import EspalierPluginKit
import Glibc
import Synchronization

/// The process's Vulkan instance, made at the first question and destroyed by `shutdown`.
enum VulkanInstance {
  private struct State: @unchecked Sendable {
    // SAFETY: the handle is only used under the mutex.
    var instance: VkInstance?
    var isShutDown = false
  }

  private static let state = Mutex(State())

  /// The devices that can run this plugin's shaders; those that cannot are named in the host's log.
  static func devices() throws(PluginError) -> [vd_facts] {
    try state.withLock { (state) throws(PluginError) -> [vd_facts] in
      guard !state.isShutDown else {
        throw PluginError(ESP_INVALID_ARGUMENT, "vulkan: the plugin was shut down")
      }
      if state.instance == nil { state.instance = try create() }
      guard let instance = state.instance else { return [] }
      var count: UInt32 = 0
      try check(vkEnumeratePhysicalDevices(instance, &count, nil), "list the devices")
      var handles = [VkPhysicalDevice?](repeating: nil, count: Int(count))
      let result = vkEnumeratePhysicalDevices(instance, &count, &handles)
      if result != VK_INCOMPLETE { try check(result, "list the devices") }
      return handles.prefix(Int(count)).compactMap { handle in
        guard let handle else { return nil }
        var facts = vd_facts()
        vd_query(instance, handle, &facts)
        guard let reason = facts.objection else { return facts }
        HostServices.current?.log(.debug, "vulkan", "\(facts.deviceName) is left out: \(reason)")
        return nil
      }
    }
  }

  /// nil on a machine without any Vulkan driver.
  private static func create() throws(PluginError) -> VkInstance? {
    var instance: VkInstance?
    let wantsValidation = getenv("ESPALIER_VULKAN_VALIDATION").map { $0[0] == 0x31 } ?? false
    if wantsValidation, !vd_has_validation() {
      throw PluginError(
        ESP_NOT_FOUND,
        "vulkan: ESPALIER_VULKAN_VALIDATION is set, but the layer VK_LAYER_KHRONOS_validation is not "
          + "installed; on Debian it is in the package vulkan-validationlayers")
    }
    let result = vd_create_instance(
      wantsValidation ? { Validation.record(String(cString: $0)) } : nil, &instance)
    if result == VK_ERROR_INCOMPATIBLE_DRIVER { return nil }
    try check(result, "start Vulkan")
    return instance
  }

  /// Destroys the instance; called when the host has closed all devices and the process is about to end.
  static func shutDown() {
    state.withLock { state in
      if let instance = state.instance { vkDestroyInstance(instance, nil) }
      state = State(instance: nil, isShutDown: true)
    }
  }
}
