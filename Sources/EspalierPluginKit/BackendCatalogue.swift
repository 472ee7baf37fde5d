public import EspalierABI

/// The devices of a backend, as the boundary's table asks for them.
///
/// Make it once, as a global constant, and let the three functions given to `backendTable` call it.
public struct BackendCatalogue: Sendable {
  private let backend: any BackendPlugin

  public init(_ backend: some BackendPlugin) { self.backend = backend }

  /// The table's `device_count`.
  public func deviceCount(
    _ count: UnsafeMutablePointer<UInt32>, _ error: UnsafeMutablePointer<esp_error>
  ) -> Int32 {
    guardCall(error) {
      count.pointee = 0
      count.pointee = UInt32(clamping: try backend.devices().count)
    }
  }

  /// The table's `device_info`; fills as much as the caller's structure holds.
  public func deviceInfo(
    _ index: UInt32, _ info: UnsafeMutablePointer<esp_device_info>,
    _ error: UnsafeMutablePointer<esp_error>
  ) -> Int32 {
    guardCall(error) {
      let byteCount = info.pointee.struct_size
      var filled = esp_device_info(try description(of: index))
      filled.struct_size = byteCount
      withUnsafeBytes(of: &filled) {
        UnsafeMutableRawPointer(info).copyMemory(
          from: $0.baseAddress ?? UnsafeRawPointer(info), byteCount: min($0.count, Int(byteCount)))
      }
    }
  }

  /// The table's `device_open`.
  public func deviceOpen(
    _ index: UInt32, _ options: UnsafePointer<esp_option>?, _ optionCount: Int,
    _ out: UnsafeMutablePointer<OpaquePointer?>, _ error: UnsafeMutablePointer<esp_error>
  ) -> Int32 {
    guardCall(error) {
      out.pointee = nil
      let description = try description(of: index)
      var settings: [String: String] = [:]
      let list = UnsafeBufferPointer(start: options, count: options == nil ? 0 : optionCount)
      for option in list {
        let name = String(cString: option.name)
        guard settings.updateValue(String(cString: option.value), forKey: name) == nil else {
          throw PluginError.invalidArgument("the option \(name) is given twice")
        }
      }
      let device = try backend.open(device: Int(index), options: settings)
      out.pointee = Handle.create(DeviceBox(device, description))
    }
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
