import EspalierABI
import Foundation
import Testing

/// A backend plugin, opened as the host opens it, with its first device.
// SAFETY: the tables never change; each test makes its own buffers and executables, and a device may
// be used for different objects at once.
final class BackendUnderTest: @unchecked Sendable, CustomTestStringConvertible {
  let name: String
  let api: esp_backend_api
  let device: OpaquePointer

  var testDescription: String { name }

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

  /// Opens `libespalier-backend-NAME.so` beside the test program.
  private init(_ name: String) throws {
    self.name = name
    let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let folder = URL(fileURLWithPath: program).deletingLastPathComponent().path
    guard let library = dlopen("\(folder)/libespalier-backend-\(name).so", RTLD_NOW | RTLD_LOCAL),
      let symbol = dlsym(library, ESP_ENTRY_SYMBOL)
    else { throw BackendFailure(code: ESP_NOT_FOUND, message: String(cString: dlerror())) }
    let entry = unsafeBitCast(symbol, to: esp_plugin_entry_fn.self)
    var plugin: UnsafePointer<esp_plugin>?
    try checked { entry(ConformanceHost.table, 0, &plugin, $0) }
    let found = try #require(plugin).pointee
    #expect(found.kind == ESP_KIND_BACKEND && String(cString: found.name) == name)
    let api = found.api.assumingMemoryBound(to: esp_backend_api.self).pointee
    var device: OpaquePointer?
    try checked { api.device_open(0, nil, 0, &device, $0) }
    self.api = api
    self.device = try #require(device)
  }

  /// A new buffer with these bytes.
  func buffer(_ bytes: [UInt8], usage: Int32 = ESP_USAGE_IO) throws -> TestBuffer {
    var buffer: OpaquePointer?
    try checked { api.buffer_create(device, UInt64(bytes.count), usage, &buffer, $0) }
    let made = TestBuffer(api: api, handle: try #require(buffer), count: bytes.count)
    try made.write(bytes)
    return made
  }

  /// What the backend says about a graph.
  func analyze(_ storage: GraphStorage) throws -> NodeAnalysis {
    let graph = storage.finish()
    let nodes = storage.nodeCount
    var supported = [UInt8](repeating: 0, count: nodes)
    var vetoes = [UInt8](repeating: 0, count: nodes)
    var workspaces = [UInt64](repeating: 0, count: nodes)
    var vanishes = [UInt8](repeating: 0, count: storage.byteCounts.count)
    var fused = [Int32](repeating: 0, count: nodes)
    try supported.withUnsafeMutableBufferPointer { supported in
      try vetoes.withUnsafeMutableBufferPointer { vetoes in
        try workspaces.withUnsafeMutableBufferPointer { workspaces in
          try vanishes.withUnsafeMutableBufferPointer { vanishes in
            try fused.withUnsafeMutableBufferPointer { fused in
              var analysis = esp_analysis(
                struct_size: UInt32(MemoryLayout<esp_analysis>.size), reserved: 0,
                node_supported: try #require(supported.baseAddress),
                node_inplace_veto: try #require(vetoes.baseAddress),
                node_workspace: try #require(workspaces.baseAddress),
                tensor_vanishes: try #require(vanishes.baseAddress),
                node_fused_into: try #require(fused.baseAddress))
              try checked { api.graph_analyze(device, graph, &analysis, $0) }
            }
          }
        }
      }
    }
    return NodeAnalysis(
      isSupported: supported.map { $0 == 1 }, inPlaceVetoes: vetoes,
      workspaceBytes: workspaces.map(Int.init))
  }
}

/// The analysis of every node.
struct NodeAnalysis {
  let isSupported: [Bool]
  /// Bit k: output 0 may not take the place of input k.
  let inPlaceVetoes: [UInt8]
  let workspaceBytes: [Int]
}

/// An error that came through the C boundary.
struct BackendFailure: Error, CustomStringConvertible {
  let code: Int32
  let message: String
  var node: Int32 = -1

  var description: String { "code \(code): \(message)" }
}

/// Throws what the call reports.
func checked(_ call: (UnsafeMutablePointer<esp_error>) throws -> Int32) throws {
  var error = esp_error()
  error.struct_size = UInt32(MemoryLayout<esp_error>.size)
  let code = try call(&error)
  guard code != ESP_OK else { return }
  throw BackendFailure(
    code: code, message: String(cString: esp_error_message(&error)), node: error.node)
}

/// A device buffer that is destroyed with its last reference.
final class TestBuffer {
  let handle: OpaquePointer
  let count: Int
  private let api: esp_backend_api

  init(api: esp_backend_api, handle: OpaquePointer, count: Int) {
    self.api = api
    self.handle = handle
    self.count = count
  }

  deinit { api.buffer_destroy(handle) }

  func write(_ bytes: [UInt8], at offset: Int = 0) throws {
    try bytes.withUnsafeBytes { source in
      guard let base = source.baseAddress else { return }
      try checked {
        api.buffer_write(handle, UInt64(offset), base, UInt64(source.count), $0)
      }
    }
  }

  func read(_ range: Range<Int>) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: range.count)
    try bytes.withUnsafeMutableBytes { target in
      guard let base = target.baseAddress else { return }
      try checked {
        api.buffer_read(handle, UInt64(range.lowerBound), base, UInt64(range.count), $0)
      }
    }
    return bytes
  }
}
