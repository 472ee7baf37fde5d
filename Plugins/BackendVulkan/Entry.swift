public import EspalierABI
import EspalierPluginKit

private let catalogue = BackendCatalogue(VulkanBackend())

private let plugin = PluginDescriptor(
  kind: ESP_KIND_BACKEND, name: "vulkan", version: "1.0.0",
  summary: "GPUs of any vendor, by Vulkan compute shaders",
  api: backendTable(
    deviceCount: { catalogue.deviceCount($0, $1) },
    deviceInfo: { catalogue.deviceInfo($0, $1, $2) },
    deviceOpen: { catalogue.deviceOpen($0, $1, $2, $3, $4) }),
  shutdown: { VulkanInstance.shutDown() })

/// The library's only exported symbol: hands out the backend `vulkan` as its one plugin.
// The name is the C header's.
// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func espalier_plugin_entry(
  _ host: UnsafePointer<esp_host>, _ index: UInt32,
  _ out: UnsafeMutablePointer<UnsafePointer<esp_plugin>?>,
  _ error: UnsafeMutablePointer<esp_error>
) -> Int32 {
  PluginDescriptor.enter(host, index, out, error, plugins: [plugin])
}
