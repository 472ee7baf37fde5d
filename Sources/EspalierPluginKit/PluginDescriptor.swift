public import EspalierABI

/// Text as a C string that lives as long as the process, for tables handed to the host.
public func processLifetimeCString(_ text: String) -> UnsafePointer<CChar> {
  let bytes = text.utf8CString
  let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
  for (index, byte) in bytes.enumerated() { copy[index] = byte }
  return UnsafePointer(copy)
}

/// One plugin of a library: the `esp_plugin` that the entry symbol hands out.
///
/// Make it once, as a global constant; its memory is never freed, as the boundary asks.
public struct PluginDescriptor: @unchecked Sendable {
  // SAFETY: written once here, then only read, and never freed.
  public let table: UnsafePointer<esp_plugin>

  /// - Parameters:
  ///   - kind: `ESP_KIND_…`.
  ///   - name: As in the file name, `libespalier-KIND-NAME.so`.
  ///   - version: The plugin's own version.
  ///   - summary: One line for people.
  ///   - api: The function table of that kind (`esp_scheduler_api`, …); it is copied.
  ///   - shutdown: Called once before the process exits.
  public init<API>(
    kind: Int32, name: String, version: String, summary: String, api: API,
    shutdown: (@convention(c) () -> Void)? = nil
  ) {
    let functions = UnsafeMutablePointer<API>.allocate(capacity: 1)
    functions.initialize(to: api)
    let plugin = UnsafeMutablePointer<esp_plugin>.allocate(capacity: 1)
    plugin.initialize(
      to: esp_plugin(
        struct_size: UInt32(MemoryLayout<esp_plugin>.size), abi_major: ESP_ABI_MAJOR,
        abi_minor: ESP_ABI_MINOR, min_host_minor: 0, kind: kind, reserved: 0,
        name: processLifetimeCString(name), version: processLifetimeCString(version),
        summary: processLifetimeCString(summary), api: UnsafeRawPointer(functions),
        shutdown: shutdown, options: nil, option_count: 0))
    table = UnsafePointer(plugin)
  }

  /// The whole body of a library's `espalier_plugin_entry`: remembers the host and hands out
  /// `plugins[index]`.
  ///
  /// - Returns: `ESP_VERSION` for a host of another major version, `ESP_NOT_FOUND` past the last plugin.
  public static func enter(
    _ host: UnsafePointer<esp_host>, _ index: UInt32,
    _ out: UnsafeMutablePointer<UnsafePointer<esp_plugin>?>,
    _ error: UnsafeMutablePointer<esp_error>, plugins: [PluginDescriptor]
  ) -> Int32 {
    guardCall(error) {
      out.pointee = nil
      guard host.pointee.abi_major == ESP_ABI_MAJOR else {
        throw PluginError(
          ESP_VERSION,
          "plugin boundary: this plugin needs major version \(ESP_ABI_MAJOR), the host has "
            + "\(host.pointee.abi_major); build the plugin against the host's header")
      }
      guard index < plugins.count else {
        throw PluginError(ESP_NOT_FOUND, "no plugin \(index): the library holds \(plugins.count)")
      }
      HostServices.remember(host)
      out.pointee = plugins[Int(index)].table
    }
  }
}
