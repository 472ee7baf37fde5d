import EspalierABI
import EspalierConformance
import Foundation
import Testing

/// The root of all suites of this module: calls on one device come one at a time, as the boundary asks.
@Suite(.serialized) struct EveryBackend {}

/// A backend plugin under test, with its first device.
struct BackendUnderTest: Sendable, CustomTestStringConvertible {
  let backend: ConformanceBackend

  var testDescription: String { backend.name }

  /// The backends of `$ESPALIER_CONFORMANCE_BACKENDS`, separated by commas, else `blas`.
  static let all: [BackendUnderTest] = {
    let chosen = ProcessInfo.processInfo.environment["ESPALIER_CONFORMANCE_BACKENDS"] ?? "blas"
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
  private init(_ name: String) throws {
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
      name: name, api: found.api.assumingMemoryBound(to: esp_backend_api.self).pointee)
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
