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

  /// Says that a tensor is asked for soon, so that its file may be read meanwhile; what fails is told by `tensor(_:)`.
  func fetch(_ path: String)
}

extension WeightSource {
  public func fetch(_ path: String) {}
}

/// The frozen weights of one or more models on a device: each is uploaded on first use and shared by all
/// executables.
public final class DeviceWeights {
  public let device: ComputeDevice
  private let source: any WeightSource
  private var loaded: [String: (buffer: DeviceBuffer, dtype: DType)] = [:]
  /// Copies of weights for as long as an executable keeps them.
  private var copies: [WeightCopy.Key: WeakBuffer] = [:]

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

  /// Takes the weights that are used in place out of memory; those that are read again come back from their files.
  ///
  /// For a time in which nothing runs that needs them.
  public func releasePages() {
    for (buffer, _) in loaded.values { buffer.releasePages() }
  }

  /// How a weight will lie on the device.
  struct Placement {
    let dtype: DType
    /// What has to be had for it: nothing if it is there, or if it stays in its file because the device is the CPU.
    let missingByteCount: Int
    /// What of its file is used in place.
    let mappedByteCount: Int
  }

  func placement(of path: String, _ shape: Shape) throws -> Placement {
    if let known = loaded[path] {
      return Placement(
        dtype: known.dtype, missingByteCount: 0, mappedByteCount: known.buffer.importedByteCount)
    }
    let storage = try source.storage(of: path)
    let isStored = device.info.weightDTypes.contains(storage.dtype)
    let dtype = isStored ? storage.dtype : .float32
    let staysInFile =
      isStored && storage.isMapped && device.info.deviceClass == .cpu
      && device.api.pointee.buffer_import != nil
    let bytes = TensorSpec(dtype, shape).byteCount
    return Placement(
      dtype: dtype, missingByteCount: staysInFile ? 0 : bytes,
      mappedByteCount: staysInFile ? bytes : 0)
  }

  /// Memory for a copy of a weight, the same for all executables that keep it now; whoever compiles fills it.
  ///
  /// - Throws: `BackendError` if the device has no room.
  func copy(_ copy: WeightCopy) throws(BackendError) -> DeviceBuffer {
    if let known = copies[copy.key]?.buffer { return known }
    let buffer = try DeviceBuffer(device, byteCount: copy.byteCount, usage: .arena)
    copies[copy.key] = WeakBuffer(buffer: buffer)
    return buffer
  }

  /// True if some executable keeps it.
  func hasCopy(_ copy: WeightCopy) -> Bool { copies[copy.key]?.buffer != nil }

  private struct WeakBuffer {
    weak var buffer: DeviceBuffer?
  }

  /// The weights in their order, uploaded if they are not there; while one is checked, the next are read.
  func weights(_ wanted: [(path: String, shape: Shape)]) throws -> [DeviceBuffer] {
    var fetched = 0
    return try wanted.enumerated().map { index, weight in
      while fetched < min(index + Self.fetchedAhead, wanted.count) {
        let path = wanted[fetched].path
        if loaded[path] == nil { source.fetch(path) }
        fetched += 1
      }
      return try self.weight(weight.path, weight.shape)
    }
  }

  /// Tensors whose files are read ahead, which keeps a disk busy and little more in memory than is used at once.
  private static let fetchedAhead = 8

  private func weight(_ path: String, _ shape: Shape) throws -> DeviceBuffer {
    if let known = loaded[path] { return known.buffer }
    var tensor = try source.tensor(path)
    guard tensor.shape == shape else {
      throw BackendError.binding(
        name: path, expected: "\(shape)", found: "\(tensor.shape)")
    }
    if !device.info.weightDTypes.contains(tensor.dtype) {
      let stored = tensor
      tensor = stored.converted(to: .float32)
      stored.releasePages()
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
