import EspalierABI

/// Text as a C string that lives as long as the process, for tables handed to the host.
public func processLifetimeCString(_ text: String) -> UnsafePointer<CChar> {
  let bytes = text.utf8CString
  let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
  for (index, byte) in bytes.enumerated() { copy[index] = byte }
  return UnsafePointer(copy)
}

/// One plugin of a library: the `esp_plugin` that the entry symbol hands out.
struct PluginDescriptor: @unchecked Sendable {
  // SAFETY: written once here, then only read, and never freed.
  let table: UnsafePointer<esp_plugin>

  /// - Parameters:
  ///   - kind: `ESP_KIND_…`.
  ///   - api: The function table of that kind (`esp_scheduler_api`, …); it is copied.
  ///   - shutdown: Called once before the process exits.
  init<API>(
    kind: Int32, name: String, version: String, summary: String, api: API,
    options: [any DescribedOption] = [], shutdown: (@convention(c) () -> Void)? = nil
  ) {
    let functions = UnsafeMutablePointer<API>.allocate(capacity: 1)
    functions.initialize(to: api)
    let options = OptionTable(options)
    let plugin = UnsafeMutablePointer<esp_plugin>.allocate(capacity: 1)
    plugin.initialize(
      to: esp_plugin(
        struct_size: UInt32(MemoryLayout<esp_plugin>.size), abi_major: ESP_ABI_MAJOR,
        abi_minor: ESP_ABI_MINOR, min_host_minor: 0, kind: kind, reserved: 0,
        name: processLifetimeCString(name), version: processLifetimeCString(version),
        summary: processLifetimeCString(summary), api: UnsafeRawPointer(functions),
        shutdown: shutdown, options: options.list, option_count: options.count))
    table = UnsafePointer(plugin)
  }
}
