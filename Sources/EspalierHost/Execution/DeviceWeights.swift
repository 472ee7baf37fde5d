import EspalierABI
import EspalierGraph
public import EspalierTensors

/// How a weight lies in the host's memory.
public struct WeightStorage: Sendable, Equatable {
  public let dtype: DType
  /// True if its bytes are those of a mapped file.
  public let isMapped: Bool

  public init(dtype: DType, isMapped: Bool) {
    self.dtype = dtype
    self.isMapped = isMapped
  }
}

/// Where frozen weights come from, by parameter path.
public protocol WeightSource {
  /// The storage of the tensor that `tensor(_:)` gives; nothing is read.
  func storage(of path: String) throws -> WeightStorage

  /// The tensor in its storage type (f32, f16 or bf16) and checkpoint layout; throws if there is none.
  func tensor(_ path: String) throws -> HostTensor
}

/// The frozen weights of one or more models on a device: each is uploaded on first use and shared by all
/// executables.
public final class DeviceWeights {
  public let device: ComputeDevice
  private let source: any WeightSource
  private var loaded: [String: (buffer: DeviceBuffer, dtype: DType)] = [:]

  public init(_ device: ComputeDevice, _ source: some WeightSource) {
    self.device = device
    self.source = source
  }

  /// - Parameter source: As `WeightSource.tensor`; called twice for a weight.
  public convenience init(
    _ device: ComputeDevice, source: @escaping (String) throws -> HostTensor
  ) {
    self.init(device, WeightFunction(read: source))
  }

  /// Bytes of all weights uploaded so far, mapped files included.
  public var byteCount: Int { loaded.values.reduce(0) { $0 + $1.buffer.byteCount } }

  /// The type of a weight on the device, and the memory that it will take there: none if it is there, or if it stays
  /// in its file because the device is the CPU.
  func placement(of path: String, _ shape: Shape) throws -> (dtype: DType, missingByteCount: Int) {
    if let known = loaded[path] { return (known.dtype, 0) }
    let storage = try source.storage(of: path)
    let isStored = device.info.weightDTypes.contains(storage.dtype)
    let dtype = isStored ? storage.dtype : .float32
    let staysInFile =
      isStored && storage.isMapped && device.info.deviceClass == .cpu
      && device.api.pointee.buffer_import != nil
    return (dtype, staysInFile ? 0 : TensorSpec(dtype, shape).byteCount)
  }

  func weight(_ path: String, _ shape: Shape) throws -> DeviceBuffer {
    if let known = loaded[path] { return known.buffer }
    var tensor = try source.tensor(path)
    guard tensor.shape == shape else {
      throw BackendError.binding(
        name: path, expected: "\(shape)", found: "\(tensor.shape)")
    }
    if !device.info.weightDTypes.contains(tensor.dtype) {
      tensor = tensor.converted(to: .float32)
    }
    let buffer = try DeviceBuffer(device, weight: tensor)
    loaded[path] = (buffer, tensor.dtype)
    return buffer
  }
}

/// A function as a source: only the tensor tells its storage.
private struct WeightFunction: WeightSource {
  let read: (String) throws -> HostTensor

  func storage(of path: String) throws -> WeightStorage {
    let tensor = try read(path)
    return WeightStorage(dtype: tensor.dtype, isMapped: tensor.isMapped)
  }

  func tensor(_ path: String) throws -> HostTensor { try read(path) }
}
