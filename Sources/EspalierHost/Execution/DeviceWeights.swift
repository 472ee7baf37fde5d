public import EspalierTensors

/// The frozen weights of one or more models on a device: each is uploaded on first use and shared by all
/// executables.
public final class DeviceWeights {
  public let device: ComputeDevice
  private let source: (String) throws -> HostTensor
  private var loaded: [String: (buffer: DeviceBuffer, dtype: DType)] = [:]

  /// - Parameters:
  ///   - source: The tensor of a parameter path, in its storage type (f32, f16 or bf16) and checkpoint
  ///     layout; throws if there is none.
  public init(_ device: ComputeDevice, source: @escaping (String) throws -> HostTensor) {
    self.device = device
    self.source = source
  }

  /// Bytes of all weights uploaded so far, mapped files included.
  public var byteCount: Int { loaded.values.reduce(0) { $0 + $1.buffer.byteCount } }

  func weight(_ path: String, _ shape: Shape) throws -> (buffer: DeviceBuffer, dtype: DType) {
    if let known = loaded[path] { return known }
    var tensor = try source(path)
    guard tensor.shape == shape else {
      throw BackendError.binding(
        name: path, expected: "\(shape)", found: "\(tensor.shape)")
    }
    if !device.info.weightDTypes.contains(tensor.dtype) {
      tensor = tensor.converted(to: .float32)
    }
    let entry = (buffer: try DeviceBuffer(device, weight: tensor), dtype: tensor.dtype)
    loaded[path] = entry
    return entry
  }
}
