import EspalierABI

/// The backend functions of the boundary over the library's `BackendPlugin`.
///
/// - Parameter importsMemory: Offers `buffer_import`; a device that does not import gets a copy.
func backendTable(importsMemory: Bool) -> esp_backend_api {
  var table = esp_backend_api(
    struct_size: UInt32(MemoryLayout<esp_backend_api>.size), flags: 0,
    device_count: { count, error in
      guardCall(error) {
        count.pointee = 0
        count.pointee = try Registered.backend().deviceCount()
      }
    },
    device_info: { index, info, error in
      guardCall(error) { try Registered.backend().describe(device: index, info) }
    },
    device_open: { index, options, count, out, error in
      guardCall(error) {
        out.pointee = nil
        let list = UnsafeBufferPointer(start: options, count: options == nil ? 0 : count)
        out.pointee = Handle.create(try Registered.backend().open(device: index, options: list))
      }
    },
    device_close: { handle in
      device(handle).close()
      Handle.destroy(handle, as: DeviceBox.self)
    },
    buffer_create: { handle, byteCount, usage, out, error in
      guardCall(error) {
        out.pointee = nil
        let device = device(handle)
        let buffer = try device.makeBuffer(byteCount: byteCount, usage: try use(usage))
        out.pointee = device.admit(BufferBox(buffer, byteCount: byteCount, on: device))
      }
    },
    buffer_destroy: { handle in
      buffer(handle).device.dismiss(handle, as: BufferBox.self)
    },
    buffer_write: { handle, offset, source, byteCount, error in
      guardCall(error) { try buffer(handle).write(source, byteCount: byteCount, at: offset) }
    },
    buffer_read: { handle, offset, destination, byteCount, error in
      guardCall(error) {
        try buffer(handle).read(into: destination, byteCount: byteCount, at: offset)
      }
    },
    graph_analyze: { handle, graph, analysis, error in
      guardCall(error) {
        let graph = try BackendGraph(graph)
        let analyses = try device(handle).analyze(graph)
        let copies = analysis.copies
        for (node, result) in analyses.enumerated() {
          write(result, node, to: analysis)
          if let offer = result.copy, result.objection == nil {
            copies?[node] = try esp_copy_offer(offer, of: graph.nodes[node], in: graph)
          }
        }
      }
    },
    graph_compile: { handle, graph, plan, out, error in
      guardCall(error) {
        out.pointee = nil
        let device = device(handle)
        out.pointee = device.admit(try device.compile(try BackendGraph(graph), plan))
      }
    },
    execute: { handle, bindings, count, options, error in
      guardCall(error) {
        try executable(handle).execute(
          UnsafeBufferPointer(start: bindings, count: bindings == nil ? 0 : count), options)
      }
    },
    executable_destroy: { handle in
      executable(handle).device.dismiss(handle, as: ExecutableBox.self)
    },
    device_wait: { handle, error in guardCall(error) { try device(handle).wait() } },
    buffer_import: nil,
    device_memory: { handle, now, peak, _ in
      (now.pointee, peak.pointee) = device(handle).memory
      return ESP_OK
    })
  if importsMemory {
    table.buffer_import = { handle, memory, byteCount, usage, out, error in
      guardCall(error) {
        out.pointee = nil
        _ = try use(usage)
        let device = device(handle)
        out.pointee = device.admit(try device.importBuffer(memory, byteCount: byteCount))
      }
    }
  }
  return table
}

private func device(_ handle: OpaquePointer) -> DeviceBox { Handle.object(handle) }

private func buffer(_ handle: OpaquePointer) -> BufferBox { Handle.object(handle) }

private func executable(_ handle: OpaquePointer) -> ExecutableBox { Handle.object(handle) }

private func use(_ usage: Int32) throws(PluginError) -> BufferUsage {
  guard let known = BufferUsage(rawValue: usage) else {
    throw .invalidArgument("a buffer of the unknown usage \(usage)")
  }
  return known
}

/// Puts what the backend says about a node into the host's arrays, which arrive zeroed.
private func write(
  _ result: NodeAnalysis, _ node: Int, to analysis: UnsafeMutablePointer<esp_analysis>
) {
  guard result.objection == nil else {
    analysis.pointee.node_inplace_veto[node] = .max
    return
  }
  analysis.pointee.node_supported[node] = 1
  analysis.pointee.node_workspace[node] = result.workspaceBytes
  analysis.pointee.node_inplace_veto[node] = UInt8(truncatingIfNeeded: ~result.inPlaceInputs)
}
