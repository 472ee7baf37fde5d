import CEspalierPluginKit
public import EspalierABI

/// A Swift plugin's exported symbol: remembers the host and hands out what the library registered.
///
/// - Returns: `ESP_VERSION` for a host of another major version, `ESP_NOT_FOUND` past the last plugin.
// The name is the C header's.
// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func espalier_plugin_entry(
  _ host: UnsafePointer<esp_host>, _ index: UInt32,
  _ out: UnsafeMutablePointer<UnsafePointer<esp_plugin>?>,
  _ error: UnsafeMutablePointer<esp_error>
) -> Int32 {
  guardCall(error) {
    out.pointee = nil
    guard host.pointee.abi_major == ESP_ABI_MAJOR else {
      throw PluginError(
        ESP_VERSION,
        "plugin boundary: this plugin needs major version \(ESP_ABI_MAJOR), the host has "
          + "\(host.pointee.abi_major); build the plugin against the host's header")
    }
    guard isRegistered else {
      throw PluginError(
        ESP_INTERNAL,
        "this library registers no plugin; define @c(espalier_register_plugins) as "
          + "EspalierPluginKit's PluginRegistration shows")
    }
    let plugins = try Registered.plugins()
    guard index < plugins.count else {
      throw PluginError(ESP_NOT_FOUND, "no plugin \(index): the library holds \(plugins.count)")
    }
    HostServices.remember(host)
    out.pointee = plugins[Int(index)].table
  }
}

/// Lets the library register its plugins, once.
private let isRegistered = espalier_kit_call_registration() != 0
