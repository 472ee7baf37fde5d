/// The memory that a part of a run takes, by what it is for, in bytes.
public struct MemoryNeed: Sendable, Equatable {
  /// Frozen weights, those that are on the device already left out.
  public var weights = 0
  /// Frozen weights that are used where they lie in their mapped files. The system can take such pages back and read
  /// them again, so that they count for what is resident and not for what must be free.
  public var mappedWeights = 0
  /// What a backend makes of frozen weights and keeps, packed or transformed.
  public var packedCopies = 0
  /// Temporaries that are alive together.
  public var activations = 0
  /// What kernels need beside them while they run.
  public var workspace = 0
  /// Trained parameters with their gradients and moments.
  public var states = 0
  public var inputsAndOutputs = 0
  /// Of the host, whatever the device: data that is kept, copies on the way to files, maps of tiled networks.
  public var host = 0

  public init() {}

  /// What has to be free on the device.
  public var device: Int {
    weights + packedCopies + activations + workspace + states + inputsAndOutputs
  }

  /// What is resident at the peak where device and host are the same memory.
  public var resident: Int { device + host + mappedWeights }

  /// What two parts take that are there at the same time.
  public static func + (a: Self, b: Self) -> Self {
    var sum = a
    for kind in kinds { sum[keyPath: kind.path] += b[keyPath: kind.path] }
    return sum
  }

  /// What two parts take that are there at the same time and share their arenas, since they never run together.
  public func sharingArenas(with other: Self) -> Self {
    var sum = self + other
    let larger = activations + workspace >= other.activations + other.workspace ? self : other
    (sum.activations, sum.workspace) = (larger.activations, larger.workspace)
    return sum
  }

  public static func += (a: inout Self, b: Self) { a = a + b }

  /// The kinds with their names, in the order of reports.
  public static var kinds: [(name: String, path: WritableKeyPath<Self, Int>)] {
    [
      ("weights", \.weights), ("mapped weights", \.mappedWeights),
      ("packed copies", \.packedCopies), ("activations", \.activations),
      ("workspace", \.workspace), ("trained state", \.states),
      ("inputs and outputs", \.inputsAndOutputs), ("host", \.host),
    ]
  }
}

extension MemoryNeed: CustomStringConvertible {
  /// What must be free: `12.3 GiB (weights 4.8 GiB, activations 7.4 GiB, inputs and outputs 40.0 MiB)`.
  public var description: String {
    let shown = Self.kinds
      .filter { $0.path != \.mappedWeights && self[keyPath: $0.path] > 0 }
      .map { "\($0.name) \(ByteCount(self[keyPath: $0.path]))" }
    return "\(ByteCount(device + host)) (\(shown.joined(separator: ", ")))"
  }
}

extension ComputeDevice {
  /// Refuses what does not fit into the memory that is free now.
  ///
  /// - Parameters:
  ///   - what: What needs the memory: `a training step`.
  ///   - remedy: What to do about it; nil for general advice.
  /// - Throws: `BackendError.notEnoughMemory`. Nothing where the device does not tell its memory.
  public func check(
    _ need: MemoryNeed, for what: String, remedy: String? = nil
  ) throws(BackendError) {
    let isHost = info.deviceClass == .cpu
    var need = need
    if !isHost {
      let host = need.host
      if let available = SystemMemory.current.availableByteCount, host > available {
        var part = MemoryNeed()
        part.host = host
        throw .notEnoughMemory(
          device: SystemMemory.name, what: what, need: part, availableBytes: available,
          remedy: remedy)
      }
      need.host = 0
    }
    guard let available = availableByteCount, need.device + need.host > available else { return }
    throw .notEnoughMemory(
      device: info.name, what: what, need: need, availableBytes: available, remedy: remedy)
  }
}
