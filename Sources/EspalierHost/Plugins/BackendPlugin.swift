public import EspalierABI
import EspalierText

/// A backend plugin: hardware that runs compute graphs.
///
/// Sendable, but the boundary asks that calls on one device, buffer or executable are serialised.
// SAFETY: `api` leads to the host's copy of the table, which is never written or freed.
public final class BackendPlugin: @unchecked Sendable {
  public let name: String
  public let version: String
  /// The file that the plugin was loaded from.
  public let file: String
  /// The table of functions. All required ones are there; an optional one is nil if not offered,
  /// also where the plugin's own table ends before it.
  public let api: UnsafePointer<esp_backend_api>
  /// The devices, as they were when the plugin was first asked; empty on a machine without any.
  public let devices: [DeviceInfo]
  /// What a user may set when a device is opened.
  public let options: [PluginOption]
  private let optionOwner: OptionOwner

  /// - Throws: `BackendError` if the backend cannot list its devices.
  init(_ plugin: LoadedPlugin, api: UnsafePointer<esp_backend_api>) throws(BackendError) {
    name = plugin.name
    version = plugin.version
    file = plugin.file
    self.api = api
    options = plugin.options
    optionOwner = plugin.optionOwner
    devices = try Self.list(api, backend: plugin.name)
  }

  /// Calls a function of the backend with a fresh error record.
  ///
  /// - Parameters:
  ///   - operation: What is tried, to follow "cannot": `open device 0`.
  ///   - body: The call; returns its status.
  /// - Throws: `BackendError.failed` if the status is not `ESP_OK`.
  public func call(
    _ operation: @autoclosure () -> String,
    _ body: (UnsafeMutablePointer<esp_error>) -> Int32
  ) throws(BackendError) {
    do {
      try callPlugin(body)
    } catch {
      throw .failed(backend: name, operation: operation(), error)
    }
  }

  /// The device that `selector` names: its number, or a part of its name in any case. The whole name of one device
  /// counts for that one, also where it is a part of another's.
  ///
  /// - Throws: `PluginError.unknownDevice` or `.ambiguousDevice`.
  public func device(_ selector: String) throws(PluginError) -> DeviceInfo {
    let found: [DeviceInfo]
    if let index = Int(selector) {
      found = devices.filter { $0.index == index }
    } else {
      let part = selector.lowercased()
      let containing = devices.filter { !part.isEmpty && $0.name.lowercased().contains(part) }
      let exact = containing.filter { $0.name.lowercased() == part }
      found = exact.count == 1 ? exact : containing
    }
    guard let device = found.first else {
      throw .unknownDevice(
        backend: name, selector: selector, devices: devices.map(\.description))
    }
    guard found.count == 1 else {
      throw .ambiguousDevice(
        backend: name, selector: selector, devices: found.map(\.description))
    }
    return device
  }

  /// A user's options, checked against what the backend describes, as `ComputeDevice` takes them.
  ///
  /// - Throws: `OptionError`.
  public func settings(
    _ assignments: [OptionAssignment]
  ) throws(OptionError) -> [String: String] {
    let settled = try OptionOwner.settle(assignments, kind: .backend, among: [optionOwner])
    return Dictionary(
      settled[0].map { ($0.key, $0.value.string ?? JSONWriter.compact($0.value)) }
    ) { _, last in last }
  }

  /// The best device by class, the first of several equal ones; nil if there is none.
  public var bestDevice: DeviceInfo? {
    devices.min { $0.deviceClass.rank < $1.deviceClass.rank }
  }

  private static func list(
    _ api: UnsafePointer<esp_backend_api>, backend: String
  ) throws(BackendError) -> [DeviceInfo] {
    var count: UInt32 = 0
    do {
      try callPlugin { api.pointee.device_count(&count, $0) }
    } catch {
      throw .failed(backend: backend, operation: "count its devices", error)
    }
    guard count <= 1024 else {
      throw .invalidAnswer(
        backend: backend, operation: "device_count", detail: "\(count) devices")
    }
    var devices: [DeviceInfo] = []
    for index in 0..<count {
      devices.append(try DeviceInfo(index: Int(index), asking: api, backend: backend))
    }
    return devices
  }
}
