import EspalierABI

/// The devices of the library's backend, as the boundary's table asks for them.
struct BackendCatalogue: Sendable {
  private let backend: any BackendPlugin

  init(_ type: any BackendPlugin.Type) { backend = type.init() }

  func deviceCount() throws(PluginError) -> UInt32 { UInt32(clamping: try backend.devices().count) }

  /// Fills as much as the caller's structure holds.
  func describe(
    device index: UInt32, _ info: UnsafeMutablePointer<esp_device_info>
  ) throws(PluginError) {
    let byteCount = info.pointee.struct_size
    var filled = esp_device_info(try description(of: index))
    filled.struct_size = byteCount
    withUnsafeBytes(of: &filled) {
      UnsafeMutableRawPointer(info).copyMemory(
        from: $0.baseAddress ?? UnsafeRawPointer(info), byteCount: min($0.count, Int(byteCount)))
    }
  }

  func open(
    device index: UInt32, options: UnsafeBufferPointer<esp_option>
  ) throws(PluginError) -> DeviceBox {
    let description = try description(of: index)
    let device = try backend.open(device: Int(index), options: try settings(options))
    return DeviceBox(device, description)
  }

  /// The options as the backend describes them.
  private func settings(
    _ options: UnsafeBufferPointer<esp_option>
  ) throws(PluginError) -> PluginSettings {
    let type = type(of: backend)
    let known = type.options.map { $0.description }
    var values: [String: JSONValue] = [:]
    for option in options {
      let (name, text) = (String(cString: option.name), String(cString: option.value))
      guard let described = known.first(where: { $0.name == name }) else {
        throw .invalidArgument(
          "\(type.name): there is no option \(name); "
            + (known.isEmpty
              ? "this backend has none"
              : "the options are " + known.map(\.name).sorted().joined(separator: ", ")))
      }
      guard let value = described.value(ofText: text) else {
        throw .invalidArgument("\(type.name): option \(name) is '\(text)', not \(described.kind)")
      }
      guard values.updateValue(value, forKey: name) == nil else {
        throw .invalidArgument("\(type.name): the option \(name) is given twice")
      }
    }
    return PluginSettings(values: values, owner: type.name)
  }

  private func description(of index: UInt32) throws(PluginError) -> BackendDeviceDescription {
    let devices = try backend.devices()
    guard index < devices.count else {
      throw PluginError(
        ESP_NOT_FOUND, "there is no device \(index); this machine has \(devices.count)")
    }
    return devices[Int(index)]
  }
}

extension esp_device_info {
  fileprivate init(_ description: BackendDeviceDescription) {
    self.init()
    device_class = description.deviceClass
    memory_bytes = description.memoryBytes
    memory_free_bytes = description.freeMemoryBytes
    max_buffer_bytes = description.maxBufferBytes
    alignment = description.alignment
    activation_dtypes = description.activationDTypes
    weight_dtypes = description.weightDTypes
    withUnsafeMutableBytes(of: &name) { fill($0, with: description.name) }
    withUnsafeMutableBytes(of: &details) { fill($0, with: description.details) }
  }
}

/// Copies as many whole characters as fit, and a zero.
private func fill(_ target: UnsafeMutableRawBufferPointer, with text: String) {
  let utf8 = Array(text.utf8)
  var count = min(utf8.count, target.count - 1)
  while count > 0, count < utf8.count, utf8[count] & 0xc0 == 0x80 { count -= 1 }
  target.copyBytes(from: utf8[..<count])
  target[count] = 0
}
