import EspalierABI

/// A compiled graph behind an `esp_executable *`.
// SAFETY: the host serialises calls on one executable.
final class ExecutableBox: @unchecked Sendable, DeviceResident {
  let device: DeviceBox
  /// Nil once the device is closed.
  private var executable: (any BackendExecutable)?
  /// Keeps the memory that the host placed things in.
  private var plan: BackendPlan?
  private var bindings: BackendBindings

  init(
    _ executable: any BackendExecutable, plan: BackendPlan, bindings: BackendBindings,
    on device: DeviceBox
  ) {
    self.executable = executable
    self.plan = plan
    self.bindings = bindings
    self.device = device
  }

  func vacate() {
    executable = nil
    plan = nil
  }

  func execute(
    _ list: UnsafeBufferPointer<esp_binding>, _ options: UnsafePointer<esp_run_options>?
  ) throws(PluginError) {
    guard let executable else {
      throw .invalidArgument("the executable's device has been closed")
    }
    defer { bindings.clear() }
    try bindings.bind(list, on: device)
    try executable.execute(bindings.places, timer: options.flatMap { NodeTimer($0) })
  }
}

extension NodeTimer {
  /// The host's profile, or nil if it wants none.
  fileprivate init?(_ options: UnsafePointer<esp_run_options>) {
    guard options.pointee.struct_size >= UInt32(MemoryLayout<esp_run_options>.size),
      let callback = options.pointee.node_timed
    else { return nil }
    self.init(context: options.pointee.context, callback: callback)
  }
}
