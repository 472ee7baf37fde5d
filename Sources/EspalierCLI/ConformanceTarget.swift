import EspalierHost
import Foundation

/// A backend plugin's file and one of its devices: `FILE.so[:DEVICE]`.
struct ConformanceTarget {
  let file: String
  /// A number or a part of a device's name; nil: the best device.
  let device: String?

  /// Splits after `.so`, so that neither part is cut at a colon of its own.
  init(_ text: String) {
    if let end = text.range(of: ".so:", options: .backwards), !text.hasSuffix(".so") {
      file = String(text[..<end.upperBound].dropLast())
      device = String(text[end.upperBound...])
    } else {
      file = text
      device = nil
    }
  }

  /// Opens the plugin, and nothing else.
  ///
  /// - Throws: `PluginError`, `BackendError`.
  func open() throws -> (registry: PluginRegistry, backend: BackendPlugin, device: DeviceInfo) {
    guard let plugin = PluginFile(path: file) else {
      throw PluginError.refused(file: file, .fileName)
    }
    guard plugin.kind == .backend else {
      throw ConformanceFault.otherKind(file: file, kind: plugin.kind.rawValue)
    }
    let registry = try PluginRegistry(
      searchPath: PluginSearchPath(environment: { _ in nil }, executable: nil), files: [file])
    let selector = plugin.name + (device.map { ":\($0)" } ?? "")
    let (backend, device) = try registry.backend(named: selector)
    return (registry, backend, device)
  }
}
