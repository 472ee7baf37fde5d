import EspalierABI
import EspalierConformance
import Foundation
import Testing

/// The root of all suites of this module: calls on one device come one at a time, as the boundary asks.
@Suite(.serialized) struct EveryBackend {}

/// A backend plugin under test, with its first device.
struct BackendUnderTest: Sendable, CustomTestStringConvertible {
  let backend: ConformanceBackend

  let testDescription: String

  /// The backends of `$ESPALIER_CONFORMANCE_BACKENDS`, separated by commas, else the project's own; each a
  /// name, with settings of its device if wanted: `vulkan+kernels=gpu+staging=always`.
  static let all: [BackendUnderTest] = {
    let chosen =
      ProcessInfo.processInfo.environment["ESPALIER_CONFORMANCE_BACKENDS"]
      ?? "blas,vulkan"
    return chosen.split(separator: ",").compactMap { name in
      do {
        return try BackendUnderTest(String(name))
      } catch {
        Issue.record("backend \(name): \(error)")
        return nil
      }
    }
  }()

  /// Opens `libespalier-backend-NAME.so` beside the test program, on this module's own host.
  init(_ selector: String) throws {
    testDescription = selector
    let parts = selector.split(separator: "+").map(String.init)
    let name = parts.first ?? ""
    var options: [String: String] = [:]
    for part in parts.dropFirst() {
      let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
      try #require(pair.count == 2, "\(part) is no NAME=VALUE")
      options[pair[0]] = pair[1]
    }
    let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let folder = URL(fileURLWithPath: program).deletingLastPathComponent().path
    guard let library = dlopen("\(folder)/libespalier-backend-\(name).so", RTLD_NOW | RTLD_LOCAL),
      let symbol = dlsym(library, ESP_ENTRY_SYMBOL)
    else {
      let reason = dlerror().map { String(cString: $0) } ?? "no reason given"
      throw BackendFailure(code: ESP_NOT_FOUND, message: reason)
    }
    let entry = unsafeBitCast(symbol, to: esp_plugin_entry_fn.self)
    var plugin: UnsafePointer<esp_plugin>?
    try checked { entry(ConformanceHost.table, 0, &plugin, $0) }
    let found = try #require(plugin).pointee
    #expect(found.kind == ESP_KIND_BACKEND && String(cString: found.name) == name)
    backend = try ConformanceBackend(
      name: name, api: found.api.assumingMemoryBound(to: esp_backend_api.self).pointee,
      options: options)
  }
}

/// What `body` throws through the boundary.
func failure(_ body: () throws -> Void) -> BackendFailure? {
  do {
    try body()
    return nil
  } catch {
    return error as? BackendFailure
  }
}
