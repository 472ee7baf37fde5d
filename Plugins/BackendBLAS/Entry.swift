public import EspalierABI

/// The library's only exported symbol: hands out the backend `blas` as its one plugin.
// The name is the C header's.
// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func espalier_plugin_entry(
  _ host: UnsafePointer<esp_host>, _ index: UInt32,
  _ out: UnsafeMutablePointer<UnsafePointer<esp_plugin>?>,
  _ error: UnsafeMutablePointer<esp_error>
) -> Int32 {
  reporting(to: error) { () throws(BackendError) in
    out.pointee = try BackendTable.plugin(host: host, index: index)
  }
}
