import CBLASKernels
import EspalierABI
import Synchronization

/// The C tables through which the host reaches this backend.
enum BackendTable {
  // SAFETY: both tables are filled once, on first use, and never written again.
  nonisolated(unsafe) private static let api: UnsafeMutablePointer<esp_backend_api> = {
    let table = UnsafeMutablePointer<esp_backend_api>.allocate(capacity: 1)
    table.initialize(to: functions)
    return table
  }()

  nonisolated(unsafe) private static let description: UnsafeMutablePointer<esp_plugin> = {
    let table = UnsafeMutablePointer<esp_plugin>.allocate(capacity: 1)
    table.initialize(
      to: esp_plugin(
        struct_size: UInt32(MemoryLayout<esp_plugin>.size), abi_major: ESP_ABI_MAJOR,
        abi_minor: ESP_ABI_MINOR, min_host_minor: 0, kind: ESP_KIND_BACKEND, reserved: 0,
        name: text("blas"), version: text("1.0.0"),
        summary: text("CPU, with OpenBLAS for matrix products"), api: UnsafeRawPointer(api),
        shutdown: nil))
    return table
  }()

  /// The plugin with this index.
  static func plugin(
    host: UnsafePointer<esp_host>, index: UInt32
  ) throws(BackendError) -> UnsafePointer<esp_plugin> {
    guard index == 0 else { throw .notFound("there is no plugin \(index)") }
    guard host.pointee.abi_major == ESP_ABI_MAJOR else {
      throw .version(
        "built for interface \(ESP_ABI_MAJOR), the host speaks \(host.pointee.abi_major)")
    }
    Host.current.withLock { $0 = Host(table: host) }
    return UnsafePointer(description)
  }

  private static func text(_ literal: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(literal.utf8Start).assumingMemoryBound(to: CChar.self)
  }

  private static var functions: esp_backend_api {
    esp_backend_api(
      struct_size: UInt32(MemoryLayout<esp_backend_api>.size), flags: 0,
      device_count: { count, _ in
        count.pointee = 1
        return ESP_OK
      },
      device_info: { index, info, error in
        reporting(to: error) { () throws(BackendError) in
          try requireDevice(index)
          Device.describe(into: info)
        }
      },
      device_open: { index, _, _, out, error in
        reporting(to: error) { () throws(BackendError) in
          try requireDevice(index)
          bk_set_up()
          out.pointee = retained(try Device())
        }
      },
      device_close: { release(Device.self, $0) },
      buffer_create: { device, bytes, _, out, error in
        reporting(to: error) { () throws(BackendError) in
          out.pointee = retained(
            try Buffer(bytes: bytes, ledger: object(Device.self, device).ledger))
        }
      },
      buffer_destroy: { release(Buffer.self, $0) },
      buffer_write: { buffer, offset, source, bytes, error in
        reporting(to: error) { () throws(BackendError) in
          try object(Buffer.self, buffer).write(source, bytes: bytes, at: offset)
        }
      },
      buffer_read: { buffer, offset, destination, bytes, error in
        reporting(to: error) { () throws(BackendError) in
          try object(Buffer.self, buffer).read(into: destination, bytes: bytes, at: offset)
        }
      },
      graph_analyze: { device, graph, analysis, error in
        reporting(to: error) { () throws(BackendError) in
          try analyze(graph, host: object(Device.self, device).host, into: analysis)
        }
      },
      graph_compile: { device, graph, plan, out, error in
        reporting(to: error) { () throws(BackendError) in
          out.pointee = retained(
            try Executable(device: object(Device.self, device), graph: graph, plan: plan))
        }
      },
      execute: { executable, bindings, count, options, error in
        reporting(to: error) { () throws(BackendError) in
          try object(Executable.self, executable).execute(
            UnsafeBufferPointer(start: bindings, count: bindings == nil ? 0 : count),
            options: options)
        }
      },
      executable_destroy: { release(Executable.self, $0) },
      device_wait: { _, _ in ESP_OK },
      buffer_import: { _, memory, bytes, _, out, _ in
        out.pointee = retained(Buffer(importing: memory, bytes: bytes))
        return ESP_OK
      },
      device_memory: { device, now, peak, _ in
        (now.pointee, peak.pointee) = object(Device.self, device).ledger.bytes
        return ESP_OK
      })
  }
}

private func requireDevice(_ index: UInt32) throws(BackendError) {
  guard index == 0 else { throw .notFound("there is no device \(index); the CPU is device 0") }
}

/// Hands an object to the host, which gives it back to `release`.
private func retained(_ object: some AnyObject) -> OpaquePointer {
  OpaquePointer(Unmanaged.passRetained(object).toOpaque())
}

/// The object behind a pointer that `retained` handed out.
func object<T: AnyObject>(_ type: T.Type, _ pointer: OpaquePointer) -> T {
  Unmanaged<T>.fromOpaque(UnsafeRawPointer(pointer)).takeUnretainedValue()
}

private func release<T: AnyObject>(_ type: T.Type, _ pointer: OpaquePointer) {
  Unmanaged<T>.fromOpaque(UnsafeRawPointer(pointer)).release()
}
