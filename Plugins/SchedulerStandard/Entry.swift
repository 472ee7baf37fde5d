public import EspalierABI
import EspalierPluginKit

/// The classes that this library offers; a new scheduler is one file and one line here.
private let catalogue = SchedulerCatalogue([
  EulerDiscreteScheduler.offered,
  EulerAncestralDiscreteScheduler.offered,
  DDPMScheduler.offered,
])

private let plugin = PluginDescriptor(
  kind: ESP_KIND_SCHEDULER, name: "standard", version: "1.0.0",
  summary: "Diffusers' noise schedulers: Euler, Euler ancestral, DDPM",
  api: schedulerTable(
    classCount: { catalogue.count },
    classAt: { catalogue.table(at: $0) },
    create: { catalogue.create($0, $1, $2, $3) }))

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
