import EspalierABI
import Glibc
import TestSupport

/// A plugin library opened as the host opens it, through the C boundary alone.
struct PluginLibrary {
  let plugin: esp_plugin

  /// What the library answers to an index past its last plugin.
  let codePastTheEnd: Int32

  /// - Parameter name: `scheduler-standard`: the middle of the file name.
  init(_ name: String) throws {
    var buffer = [CChar](repeating: 0, count: 4096)
    let length = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    let program = String(
      decoding: buffer[..<max(length, 0)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let folder = program.split(separator: "/").dropLast().joined(separator: "/")
    let path = "/\(folder)/libespalier-\(name).so"
    guard let library = dlopen(path, RTLD_NOW | RTLD_LOCAL),
      let symbol = dlsym(library, ESP_ENTRY_SYMBOL)
    else {
      throw PluginFailure(
        code: ESP_NOT_FOUND, message: dlerror().map { String(cString: $0) } ?? path)
    }
    let entry = unsafeBitCast(symbol, to: esp_plugin_entry_fn.self)
    let found = try Self.enter(entry, index: 0)
    plugin = found
    codePastTheEnd = (try? Self.enter(entry, index: 1)) == nil ? ESP_NOT_FOUND : ESP_OK
  }

  private static func enter(_ entry: esp_plugin_entry_fn, index: UInt32) throws -> esp_plugin {
    var table: UnsafePointer<esp_plugin>?
    try call { entry(host, index, &table, $0) }
    return try unwrap(table).pointee
  }

  /// A copy of the table behind the plugin's `api`.
  func api<API>(_ type: API.Type) -> API { plugin.api.assumingMemoryBound(to: type).pointee }

  /// A host that logs nowhere and runs loops serially.
  private nonisolated(unsafe) static let host: UnsafePointer<esp_host> = {
    // SAFETY: written once before its first use, then only read.
    let host = UnsafeMutablePointer<esp_host>.allocate(capacity: 1)
    host.initialize(
      to: esp_host(
        struct_size: UInt32(MemoryLayout<esp_host>.size), abi_major: ESP_ABI_MAJOR,
        abi_minor: ESP_ABI_MINOR, reserved: 0, context: nil,
        log: { _, _, _, _ in },
        parallel_for: { _, count, _, body, argument in body(argument, 0, count, 0) },
        worker_count: { _ in 1 }, cancelled: { _ in 0 }, config: { _, _ in nil }))
    return UnsafePointer(host)
  }()
}

/// What a plugin answered instead of `ESP_OK`.
struct PluginFailure: Error, CustomStringConvertible {
  let code: Int32
  let message: String
  var description: String { "\(code): \(message)" }
}

/// Calls a function of the boundary and throws what it reports.
func call(_ body: (UnsafeMutablePointer<esp_error>) -> Int32) throws {
  var error = esp_error()
  error.struct_size = UInt32(MemoryLayout<esp_error>.size)
  let code = body(&error)
  guard code == ESP_OK else {
    throw PluginFailure(
      code: code, message: withUnsafePointer(to: &error) { String(cString: esp_error_message($0)) })
  }
}

/// The value, or an error where there is none.
func unwrap<T>(_ value: T?) throws -> T {
  guard let value else {
    throw PluginFailure(code: ESP_INTERNAL, message: "nothing was handed out")
  }
  return value
}
