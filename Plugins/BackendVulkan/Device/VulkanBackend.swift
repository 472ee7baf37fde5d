import CVulkanDriver
import EspalierABI
import EspalierPluginKit

/// The backend `vulkan`: every device of the machine that can run its shaders.
struct VulkanBackend: BackendPlugin {
  func devices() throws(PluginError) -> [BackendDeviceDescription] {
    try VulkanInstance.devices().map(\.description)
  }

  func open(
    device index: Int, options: [String: String]
  ) throws(PluginError) -> any BackendDevice {
    let devices = try VulkanInstance.devices()
    guard devices.indices.contains(index) else {
      throw PluginError(
        ESP_NOT_FOUND, "vulkan: there is no device \(index); this machine has \(devices.count)")
    }
    return try VulkanDevice(devices[index], options: VulkanOptions(options))
  }
}
