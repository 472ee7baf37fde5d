import CVulkanDriver
import EspalierABI
import EspalierPluginKit

/// The backend `vulkan`: every device of the machine that can run its shaders.
struct VulkanBackend: BackendPlugin {
  static let name = "vulkan"
  static let version = "1.0.0"
  static let summary = "GPUs of any vendor, by Vulkan compute shaders"
  static let options = VulkanOptions.described

  static func shutdown() { VulkanInstance.shutDown() }

  func devices() throws(PluginError) -> [BackendDeviceDescription] {
    try VulkanInstance.devices().map(\.description)
  }

  func open(
    device index: Int, options: PluginSettings
  ) throws(PluginError) -> any BackendDevice {
    let devices = try VulkanInstance.devices()
    guard devices.indices.contains(index) else {
      throw PluginError(
        ESP_NOT_FOUND, "vulkan: there is no device \(index); this machine has \(devices.count)")
    }
    return try VulkanDevice(devices[index], options: VulkanOptions(options))
  }
}
