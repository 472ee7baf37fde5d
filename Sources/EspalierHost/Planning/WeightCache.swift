/// How much memory copies of frozen weights may take (`--weight_cache`).
public enum WeightCache: Sendable, Equatable {
  /// No copies.
  case none
  /// Half of what is free beyond the rest of the run: never the reason why something does not fit.
  case auto
  /// At most so many bytes, whatever is free.
  case bytes(Int)

  /// As on the command line: `none`, `auto`, `2GiB`.
  public init?(_ text: String) {
    switch text {
    case "none": self = .none
    case "auto": self = .auto
    default:
      guard let size = ByteCount(parsing: text) else { return nil }
      self = .bytes(size.bytes)
    }
  }

  /// What copies may take on a device.
  ///
  /// - Parameter needs: What is there at the same time as they, at the peaks of the phases in which they are.
  public func limit(on device: ComputeDevice, beside needs: [MemoryNeed]) -> Int {
    limit(
      available: device.availableByteCount, isHost: device.info.deviceClass == .cpu, beside: needs)
  }

  /// - Parameters:
  ///   - available: Bytes that are free; nil if nobody tells.
  ///   - isHost: True if device and host are the same memory, where pages of mapped weights stay too.
  package func limit(available: Int?, isHost: Bool, beside needs: [MemoryNeed]) -> Int {
    switch self {
    case .none: return 0
    case .bytes(let count): return count
    case .auto:
      guard let available else { return 0 }
      let peak = needs.map { isHost ? $0.resident : $0.device }.max() ?? 0
      return max(0, available - peak) / 2
    }
  }
}
