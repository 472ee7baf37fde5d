import CVulkanDriver
import EspalierABI
import EspalierPluginKit

/// Throws what a Vulkan call reports.
///
/// - Parameter what: What was tried, to follow "cannot": `allocate 3 MiB`.
func check(_ result: VkResult, _ what: @autoclosure () -> String) throws(PluginError) {
  guard result != VK_SUCCESS else { return }
  throw driverError(result, what())
}

/// The boundary's error for a failed Vulkan call.
func driverError(_ result: VkResult, _ what: String) -> PluginError {
  let (code, reason, hint): (Int32, String, String) =
    switch result {
    case VK_ERROR_OUT_OF_DEVICE_MEMORY:
      (ESP_OUT_OF_MEMORY, "the device has no memory left", "lower the batch size or the resolution")
    case VK_ERROR_OUT_OF_HOST_MEMORY:
      (ESP_OUT_OF_MEMORY, "the driver has no host memory left", "close other programs")
    case VK_ERROR_TOO_MANY_OBJECTS:
      (ESP_OUT_OF_MEMORY, "the driver allows no more allocations", "lower the batch size")
    case VK_ERROR_DEVICE_LOST:
      (
        ESP_DEVICE_LOST, "the device was lost (a driver reset, or work that took too long)",
        "start again from the last checkpoint; the system's log may say why"
      )
    case VK_TIMEOUT: (ESP_TIMEOUT, "the device did not answer in time", "see the system's log")
    case VK_ERROR_INITIALIZATION_FAILED:
      (ESP_INTERNAL, "the driver could not set itself up", "see the system's log")
    default: (ESP_INTERNAL, "the driver refused", "update the driver, or use --backend blas")
    }
  return PluginError(
    code, "vulkan: cannot \(what): \(reason) (VkResult \(result.rawValue)); \(hint)",
    nativeCode: result.rawValue)
}
