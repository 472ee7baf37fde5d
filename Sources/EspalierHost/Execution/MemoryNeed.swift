/// The memory of a device that a program takes, by what it is for, in bytes.
public struct MemoryNeed: Sendable, Equatable {
  /// Frozen weights, those that are on the device already left out.
  public var weights = 0
  /// Arenas, as far as there are none to share.
  public var temporaries = 0
  /// Trained parameters with their gradients and moments.
  public var states = 0
  public var inputsAndOutputs = 0

  public init() {}

  public var total: Int { weights + temporaries + states + inputsAndOutputs }

  /// What two programs take that are on the device at the same time.
  public static func + (a: Self, b: Self) -> Self {
    var sum = a
    sum.weights += b.weights
    sum.temporaries += b.temporaries
    sum.states += b.states
    sum.inputsAndOutputs += b.inputsAndOutputs
    return sum
  }
}

extension MemoryNeed: CustomStringConvertible {
  /// `12.3 GiB (weights 4.8 GiB, temporaries 7.4 GiB, inputs and outputs 40.0 MiB)`.
  public var description: String {
    let parts = [
      ("weights", weights), ("temporaries", temporaries), ("trained state", states),
      ("inputs and outputs", inputsAndOutputs),
    ]
    let shown = parts.filter { $0.1 > 0 }.map { "\($0) \(ByteCount($1))" }
    return "\(ByteCount(total)) (\(shown.joined(separator: ", ")))"
  }
}

extension ComputeDevice {
  /// Refuses what does not fit into the memory that is free now.
  ///
  /// - Parameter what: What needs the memory: `a training step`.
  /// - Throws: `BackendError.notEnoughMemory`. Nothing where the device does not tell its memory.
  public func check(_ need: MemoryNeed, for what: String) throws(BackendError) {
    guard let available = availableByteCount, need.total > available else { return }
    throw .notEnoughMemory(
      device: info.name, what: what, need: need, availableBytes: available)
  }
}
