public import EspalierHost
public import EspalierTensors

/// The parameters in training with their gradients and AdamW moments, all f32 on the device.
public final class TrainedParameters {
  /// What is kept for each parameter.
  public enum Kind: String, Sendable, CaseIterable {
    case parameter, gradient
    case firstMoment = "exp_avg"
    case secondMoment = "exp_avg_sq"

    /// The name of a buffer in the graphs.
    func name(_ path: String) -> String { self == .parameter ? path : "\(rawValue)/\(path)" }
  }

  /// Paths and shapes in a fixed order: sorted by path.
  public let shapes: [(path: String, shape: Shape)]
  private var buffers: [String: DeviceBuffer] = [:]

  /// - Parameter initial: The start values by path, f32.
  /// - Throws: `BackendError` if the device has no room.
  public init(_ device: ComputeDevice, initial: [String: HostTensor]) throws(BackendError) {
    shapes = initial.sorted { $0.key < $1.key }.map { ($0.key, $0.value.shape) }
    for (path, tensor) in initial {
      let zeros = HostTensor(shape: tensor.shape)
      for kind in Kind.allCases {
        buffers[kind.name(path)] = try DeviceBuffer(
          device, state: kind == .parameter ? tensor.converted(to: .float32) : zeros)
      }
    }
  }

  /// All buffers by their names in the graphs.
  public var bindings: [String: DeviceBuffer] { buffers }

  /// Bytes on the device.
  public var byteCount: Int { buffers.values.reduce(0) { $0 + $1.byteCount } }

  /// Copies one kind to the host.
  public func read(_ kind: Kind) throws(BackendError) -> [String: HostTensor] {
    var result: [String: HostTensor] = [:]
    for (path, shape) in shapes { result[path] = try read(kind, of: path, shape) }
    return result
  }

  /// Copies one kind of one parameter to the host; nil if nothing is trained under this path.
  public func read(
    _ kind: Kind, of path: String, _ shape: Shape
  ) throws(BackendError) -> HostTensor? {
    try buffers[kind.name(path)]?.read(shape)
  }

  /// Replaces one kind; paths that are not trained are ignored, missing ones keep their content.
  public func write(_ kind: Kind, _ values: [String: HostTensor]) throws(BackendError) {
    for (path, shape) in shapes {
      guard let value = values[path] else { continue }
      guard value.shape == shape else {
        throw .binding(name: path, expected: "\(shape)", found: "\(value.shape)")
      }
      try buffers[kind.name(path)]?.write(value.converted(to: .float32))
    }
  }
}
