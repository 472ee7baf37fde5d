import EspalierABI
import EspalierConformance
import EspalierPluginKit

/// What the kit calls when a host enters this program's copy of it.
@c(espalier_register_plugins)
public func registerPlugins() {
  PluginRegistration.backend(RecordingBackend.self)
  PluginRegistration.logger(RecordingLogger.self)
  PluginRegistration.schedulers(
    "sample", version: "2.0", summary: "One class", SampleScheduler.self)
}

/// The plugins of this program, reached through the entry as a host reaches them.
enum RegisteredPlugins {
  /// The plugin with this index.
  ///
  /// - Throws: `BackendFailure` with what the entry reports.
  static func plugin(_ index: UInt32, hostMajor: UInt32 = ESP_ABI_MAJOR) throws -> esp_plugin {
    let host = UnsafeMutablePointer<esp_host>.allocate(capacity: 1)
    host.initialize(
      to: esp_host(
        struct_size: UInt32(MemoryLayout<esp_host>.size), abi_major: hostMajor,
        abi_minor: ESP_ABI_MINOR, reserved: 0, context: nil, log: { _, _, _, _ in },
        parallel_for: { _, count, _, body, argument in body(argument, 0, count, 0) },
        worker_count: { _ in 1 }, cancelled: { _ in 0 }, config: { _, _ in nil }))
    // A host lives as long as the process: the kit remembers it.
    var plugin: UnsafePointer<esp_plugin>?
    try checked { espalier_plugin_entry(UnsafePointer(host), index, &plugin, $0) }
    guard let plugin else { throw PluginError(ESP_INTERNAL, "no plugin was handed out") }
    return plugin.pointee
  }

  /// All of them, in order.
  static var all: [esp_plugin] {
    var plugins: [esp_plugin] = []
    while let next = try? plugin(UInt32(plugins.count)) { plugins.append(next) }
    return plugins
  }

  /// A copy of the table of the plugin of this kind.
  static func api<API>(_ type: API.Type, kind: Int32) -> API? {
    all.first { $0.kind == kind }?.api.assumingMemoryBound(to: type).pointee
  }
}

/// A described option as a host reads it.
struct ReadOption: Equatable {
  let name: String
  let type: Int32
  let fallback: String?
  let choices: String?
  let summary: String

  static func all(
    _ list: UnsafePointer<esp_option_description_ref>?, _ count: Int
  ) -> [ReadOption] {
    UnsafeBufferPointer(start: list, count: list == nil ? 0 : count).map { reference in
      let option = reference.pointee
      return ReadOption(
        name: String(cString: option.name), type: option.type,
        fallback: option.default_value.map { String(cString: $0) },
        choices: option.choices.map { String(cString: $0) },
        summary: String(cString: option.summary))
    }
  }
}
