public import EspalierABI
import EspalierPluginKit

private let plugin = PluginDescriptor(
  kind: ESP_KIND_LOGGER, name: "csv", version: "1.0.0",
  summary: "One row per step in metrics.csv of the run's folder",
  api: loggerTable(
    offers: .flush,
    open: { run, out, error in
      openLogger(run, out, error, owner: "csv logger") { settings throws(PluginError) in
        try CSVMetricLogger(settings)
      }
    }))

/// The library's only exported symbol: hands out its plugins by index.
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
