import EspalierABI
public import EspalierTensors

/// A device that a backend offers.
public struct DeviceInfo: Sendable, Equatable {
  /// What kind of hardware a device is, best first for `auto`.
  public enum Class: String, Sendable, Codable {
    case discreteGPU = "discrete GPU"
    case integratedGPU = "integrated GPU"
    case cpu = "CPU"
    /// A GPU interface run by the CPU; used when named, never chosen by `auto`.
    case softwareGPU = "software GPU"

    init?(code: Int32) {
      switch code {
      case ESP_DEVICE_CPU: self = .cpu
      case ESP_DEVICE_INTEGRATED_GPU: self = .integratedGPU
      case ESP_DEVICE_DISCRETE_GPU: self = .discreteGPU
      case ESP_DEVICE_SOFTWARE_GPU: self = .softwareGPU
      default: return nil
      }
    }

    /// Lower is better.
    var rank: Int {
      switch self {
      case .discreteGPU: 0
      case .integratedGPU: 1
      case .cpu: 2
      case .softwareGPU: 3
      }
    }
  }

  /// The device's number in its backend.
  public let index: Int
  public let name: String
  /// One line for people: the driver and its version, what the device can do; nil if the backend does not tell.
  public let details: String?
  public let deviceClass: Class
  /// In all; nil if unknown.
  public let memoryByteCount: Int?
  /// Free when asked; nil if unknown.
  public let freeMemoryByteCount: Int?
  /// The most that one buffer, and one tensor, may have.
  public let maxBufferByteCount: Int
  /// Of a tensor inside a buffer, in bytes; a power of two.
  public let alignment: Int
  /// How activations may be stored.
  public let activationDTypes: [DType]
  /// How weights may be stored.
  public let weightDTypes: [DType]

  /// Asks a backend about one of its devices, as it is now.
  ///
  /// - Throws: `BackendError`.
  init(
    index: Int, asking api: UnsafePointer<esp_backend_api>, backend: String
  ) throws(BackendError) {
    var info = esp_device_info()
    info.struct_size = UInt32(MemoryLayout<esp_device_info>.size)
    do {
      try callPlugin { api.pointee.device_info(UInt32(index), &info, $0) }
    } catch {
      throw .failed(backend: backend, operation: "describe its device \(index)", error)
    }
    try self.init(index: index, info, backend: backend)
  }

  /// Checks and takes over what a backend filled in.
  ///
  /// - Throws: `BackendError.invalidAnswer`.
  init(index: Int, _ info: esp_device_info, backend: String) throws(BackendError) {
    func invalid(_ detail: String) -> BackendError {
      .invalidAnswer(backend: backend, operation: "device_info of device \(index)", detail: detail)
    }
    guard let deviceClass = Class(code: info.device_class) else {
      throw invalid("device class \(info.device_class)")
    }
    guard info.alignment.nonzeroBitCount == 1, let alignment = Int(exactly: info.alignment) else {
      throw invalid("alignment \(info.alignment), expected a power of two")
    }
    guard info.max_buffer_bytes > 0 else { throw invalid("buffers of 0 bytes at most") }
    self.index = index
    self.deviceClass = deviceClass
    self.alignment = alignment
    name = withUnsafeBytes(of: info.name, Self.line)
    details = Self.details(info)
    memoryByteCount = info.memory_bytes == 0 ? nil : Int(clamping: info.memory_bytes)
    freeMemoryByteCount = info.memory_free_bytes == 0 ? nil : Int(clamping: info.memory_free_bytes)
    maxBufferByteCount = Int(clamping: info.max_buffer_bytes)
    activationDTypes = Self.dtypes(info.activation_dtypes)
    weightDTypes = Self.dtypes(info.weight_dtypes)
  }

  /// What a backend of boundary 1.0 leaves out, and what lies beyond the struct that it filled, is absent.
  private static func details(_ info: esp_device_info) -> String? {
    guard let offset = MemoryLayout<esp_device_info>.offset(of: \.details),
      Int(info.struct_size) >= offset + MemoryLayout.size(ofValue: info.details)
    else { return nil }
    let text = withUnsafeBytes(of: info.details, line)
    return text.isEmpty ? nil : text
  }

  /// The text up to its zero, if it has one, as a single line.
  private static func line(_ bytes: UnsafeRawBufferPointer) -> String {
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      .split(whereSeparator: \.isNewline).joined(separator: " ")
  }

  private static func dtypes(_ bits: UInt32) -> [DType] {
    let all: [(Int32, DType)] = [
      (ESP_DTYPE_F32, .float32), (ESP_DTYPE_F16, .float16), (ESP_DTYPE_BF16, .bfloat16),
    ]
    return all.filter { bits & (1 << UInt32($0.0)) != 0 }.map(\.1)
  }
}

extension DeviceInfo: CustomStringConvertible {
  /// Number, name and kind: `0: AMD Radeon RX 7800 (discrete GPU)`.
  public var description: String { "\(index): \(name) (\(deviceClass.rawValue))" }
}
