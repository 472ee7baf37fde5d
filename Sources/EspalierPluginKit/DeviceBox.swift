import EspalierABI
import Synchronization

/// What lives on a device and must be gone before it closes: the buffers and executables of the host.
protocol DeviceResident: AnyObject, Sendable {
  /// Lets go of the plugin's object; every call afterwards is refused.
  func vacate()
}

/// A device behind an `esp_device *`.
// SAFETY: the host serialises calls on one device; the list of residents has its own lock.
final class DeviceBox: @unchecked Sendable {
  /// Of a tensor inside a buffer, in bytes.
  let alignment: UInt64
  private let device: any BackendDevice
  private let maxBufferBytes: UInt64
  private let residents = Mutex<[ObjectIdentifier: any DeviceResident]>([:])

  init(_ device: any BackendDevice, _ description: BackendDeviceDescription) {
    self.device = device
    alignment = max(description.alignment, 1)
    maxBufferBytes = description.maxBufferBytes
  }

  /// Waits, lets go of everything that the host still holds, and closes.
  func close() {
    do throws(PluginError) {
      try device.wait()
    } catch {
      HostServices.current?.log(.warning, "device", "closing: \(error)")
    }
    let left = residents.withLock { list in
      defer { list.removeAll() }
      return Array(list.values)
    }
    for resident in left where resident is ExecutableBox { resident.vacate() }
    for resident in left { resident.vacate() }
    device.close()
  }

  /// Hands an object of the device to the host.
  func admit(_ resident: some DeviceResident) -> OpaquePointer {
    residents.withLock { $0[ObjectIdentifier(resident)] = resident }
    return Handle.create(resident)
  }

  /// Takes an object back from the host.
  func dismiss<Resident: DeviceResident>(_ pointer: OpaquePointer, as type: Resident.Type) {
    let resident = Handle.object(pointer, as: type)
    _ = residents.withLock { $0.removeValue(forKey: ObjectIdentifier(resident)) }
    resident.vacate()
    Handle.destroy(pointer, as: type)
  }

  /// The buffer behind a handle that came with a plan or a binding.
  func buffer(_ handle: OpaquePointer, _ what: String) throws(PluginError) -> BufferBox {
    let buffer = Handle.object(handle, as: BufferBox.self)
    guard buffer.device === self else {
      throw .invalidArgument("\(what) belongs to another device")
    }
    return buffer
  }

  func makeBuffer(
    byteCount: UInt64, usage: BufferUsage
  ) throws(PluginError) -> any BackendBuffer {
    guard byteCount <= maxBufferBytes else {
      throw PluginError(
        ESP_OUT_OF_MEMORY,
        "a buffer of \(byteCount) bytes; this device allows at most \(maxBufferBytes)")
    }
    let buffer = try device.makeBuffer(byteCount: max(byteCount, 1), usage: usage)
    guard buffer.byteCount >= byteCount else {
      throw PluginError(
        ESP_INTERNAL, "a buffer of \(byteCount) bytes came with \(buffer.byteCount)")
    }
    return buffer
  }

  /// A new buffer with a copy of the host's memory.
  func makeBuffer(copying memory: UnsafeRawBufferPointer) throws(PluginError) -> any BackendBuffer {
    let buffer = try makeBuffer(byteCount: UInt64(memory.count), usage: .weight)
    if !memory.isEmpty { try buffer.write(memory, at: 0) }
    return buffer
  }

  /// The host's memory as a buffer; a copy if this device cannot use it in place.
  func importBuffer(
    _ memory: UnsafeRawPointer, byteCount: UInt64
  ) throws(PluginError) -> BufferBox {
    guard let count = Int(exactly: byteCount) else {
      throw .invalidArgument("\(byteCount) bytes of memory to import")
    }
    let bytes = UnsafeRawBufferPointer(start: memory, count: count)
    let isInPlace = device.importsMemory
    return BufferBox(
      isInPlace ? try device.importBuffer(bytes) : try makeBuffer(copying: bytes),
      byteCount: byteCount, on: self, importing: memory, isInPlace: isInPlace)
  }

  func analyze(_ graph: BackendGraph) throws(PluginError) -> [NodeAnalysis] {
    let analyses = try device.analyze(graph)
    guard analyses.count == graph.nodes.count else {
      throw PluginError(
        ESP_INTERNAL, "the analysis of \(graph.nodes.count) nodes speaks of \(analyses.count)")
    }
    return analyses
  }

  func compile(
    _ graph: BackendGraph, _ plan: UnsafePointer<esp_memory_plan>
  ) throws(PluginError) -> ExecutableBox {
    let analyses = try analyze(graph)
    for (index, analysis) in analyses.enumerated() {
      guard let objection = analysis.objection else { continue }
      throw .atNode(
        index, graph.nodes[index].label, "it cannot run here: \(objection)",
        code: ESP_UNIMPLEMENTED)
    }
    let placed = try BackendPlan(plan, graph, analyses, on: self)
    return ExecutableBox(
      try device.compile(graph, placed), plan: placed, bindings: BackendBindings(graph), on: self)
  }

  func wait() throws(PluginError) { try device.wait() }

  var memory: (now: UInt64, peak: UInt64) { device.memory }
}
